/** Every code that is not found in the text of a pipeline alone appears as its page shows it. */
import { expect } from 'chai';
import { CODES, isOfLint, isOfText, read, write } from './catalogue.js';
import { areLike, diagnosticsIn, exampleOf, rewritten } from './example.js';
import { OWED } from './owed.js';
import { play } from './play.js';
import { SITUATIONS } from './situations/index.js';

const updates = process.env['UPDATE_GOLDEN'] === '1';
const played = CODES.filter((code) => !isOfText(code) && !isOfLint(code));

describe('examples of the diagnostics', () => {
  for (const code of played)
    it(`${code} appears as its page shows it`, async function () {
      const path = `docs/errors/${code}.md`;
      const page = read(path);
      const example = exampleOf(page);
      if (OWED.has(code) && example === undefined) return this.skip();
      expect(OWED.has(code), 'it is proved: take it out of owed.ts').to.equal(false);
      if (example === undefined) throw new Error(`${path} has no \`## Example\` with a console`);
      const printed = await play(example, SITUATIONS[code]);
      const found = printed.map((one) => diagnosticsIn(one.printed));
      if (updates) {
        const shown = found.map((step) => {
          const its = step.filter(([first]) => first?.includes(`[${code}]`));
          return its.length === 0 ? undefined : its.slice(0, 1).flat();
        });
        const kept = shown.map((lines, index) =>
          lines !== undefined && areLike(example.steps[index]?.shown ?? [], lines) ? undefined : lines,
        );
        write(path, rewritten(page, kept));
      }
      const { steps } = exampleOf(read(path)) ?? example;
      const all = printed.map(({ printed }) => printed.join('\n')).join('\n');
      expect(
        steps.some(({ shown }) => shown.some((line) => line.includes(`[${code}]`))),
        all,
      ).to.equal(true);
      for (const [index, { line, shown }] of steps.entries()) {
        if (shown.length === 0) continue;
        for (const diagnostic of diagnosticsIn(shown)) {
          const isThere = found[index]?.some((lines) => areLike(diagnostic, lines));
          expect(isThere, `$ ${line}\n${printed[index]?.printed.join('\n')}`).to.equal(true);
        }
        expect(diagnosticsIn(shown).flat(), 'shows nothing but diagnostics').to.deep.equal(shown);
      }
    });

  it('have no situation of a code that needs none', () => {
    expect(Object.keys(SITUATIONS).filter((code) => !played.includes(code))).to.deep.equal([]);
  });
}).timeout(60_000);
