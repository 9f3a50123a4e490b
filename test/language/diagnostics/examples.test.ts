/** Every code that is not found in the text of a pipeline alone appears as its page shows it. */
import { expect } from 'chai';
import { leaveOut } from '../../helpers/leave-out.js';
import { noGit } from '../../tools/review/repository.js';
import { CODES, isOfLint, isOfText, PAGES, read, write } from './catalogue.js';
import { areLike, diagnosticsIn, exampleOf, rewritten } from './example.js';
import { isOfFtpc, play } from './play.js';
import { SITUATIONS } from './situations/index.js';

const updates = process.env['UPDATE_GOLDEN'] === '1';
const played = CODES.filter((code) => !isOfText(code) && !isOfLint(code));

/** Pages whose example runs a pipeline take most of the time; a page that is missing fails in its own test. */
function suiteOf(code: string): string {
  const steps = PAGES.includes(code) ? exampleOf(read(`docs/errors/${code}.md`))?.steps : undefined;
  return steps?.some(({ line }) => line.includes('ftpc run ')) === true ? ' @long' : '';
}

describe('examples of the diagnostics', () => {
  for (const code of played)
    it(`${code} appears as its page shows it${suiteOf(code)}`, async function () {
      const path = `docs/errors/${code}.md`;
      const example = exampleOf(read(path));
      if (example === undefined) throw new Error(`${path} has no \`## Example\` with a console`);
      if (noGit !== undefined && example.steps.some(({ line }) => line.startsWith('git '))) {
        return leaveOut(this, noGit);
      }
      const printed = await play(example, SITUATIONS[code]);
      const found = printed.map((one) => diagnosticsIn(one.printed));
      if (updates) update(path, code, found);
      const { steps } = exampleOf(read(path)) ?? example;
      for (const [index, { line, shown }] of steps.entries()) {
        const said = `${path} (UPDATE_GOLDEN=1 writes it)\n$ ${line}\n${printed[index]?.printed.join('\n')}`;
        if (!isOfFtpc(line)) expect(printed[index]?.code, said).to.equal(0);
        const expected = diagnosticsIn(shown);
        expect(expected.flat(), 'shows nothing but diagnostics').to.deep.equal(shown);
        // What only informs asks for nothing.
        for (const diagnostic of expected.filter(([first]) => first?.startsWith('info') === false))
          expect(diagnostic.join('\n'), 'says what to do').to.match(/^ +(?:= help: |\| +\^+ )/m);
        for (const diagnostic of expected)
          expect(
            found[index]?.some((lines) => areLike(diagnostic, lines)),
            said,
          ).to.equal(true);
      }
      const shows = steps.some(({ shown }) => shown.some((line) => line.includes(`[${code}]`)));
      expect(shows, printed.flatMap((one) => one.printed).join('\n')).to.equal(true);
    });

  it('have no situation of a code that needs none', () => {
    expect(Object.keys(SITUATIONS).filter((code) => !played.includes(code))).to.deep.equal([]);
  });
});

type Found = readonly (readonly (readonly string[])[])[];

/** Writes what each command says of the code below it, where the page has something else. */
function update(path: string, code: string, found: Found): void {
  const page = read(path);
  const { steps } = exampleOf(page) ?? { steps: [] };
  const now = found.map((diagnostics, index) => {
    const lines = diagnostics.find(([first]) => first?.includes(`[${code}]`));
    return lines === undefined || areLike(steps[index]?.shown ?? [], lines) ? undefined : lines;
  });
  write(path, rewritten(page, now));
}
