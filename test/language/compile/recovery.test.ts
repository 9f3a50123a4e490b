import { join } from 'node:path';
import { expect } from 'chai';
import type { IToken } from '../../../grammar/chevrotain.js';
import { lexer, Newline } from '../../../grammar/tokens.js';
import { compile } from '../../../src/language/compile.js';
import { locate } from '../../../src/language/diagnostics/render/index.js';
import { nodeHost } from '../../../src/language/host/node-host.js';
import { overlayHost, remembering } from '../../helpers/overlay-host.js';

const root = nodeHost().packageFolder;
const endOf = (token: IToken): number => token.startOffset + token.image.length;

/** A sound text, and what the compiler says of it when it is spoilt. */
function subject(folder: string, name: string) {
  const disk = remembering(nodeHost(join(root, folder)));
  const text = disk.readText(join(root, folder, name));
  const tokens = lexer.tokenize(text).tokens.filter((token) => token.tokenType !== Newline);
  const check = (mutant: string) => {
    const host = overlayHost(join(root, folder), { 'mutant.ftp': mutant }, disk);
    const { program, diagnostics, sources } = compile(host, 'mutant.ftp');
    const found = diagnostics.map((diagnostic) => ({
      ...diagnostic,
      line: locate(diagnostic, sources).line,
    }));
    return { meaning: program && JSON.stringify(program, meant), found };
  };
  const lineOf = (token: IToken): number => text.slice(0, token.startOffset).split('\n').length;
  const describe = (token: IToken): string => `\`${token.image}\` of line ${lineOf(token)}`;
  return { name: `${folder}/${name}`, text, tokens, check, lineOf, describe };
}

const PLACES = new Set(['span', 'doc', 'text']);
const meant = (key: string, value: unknown): unknown => (PLACES.has(key) ? undefined : value);

const subjects = [subject('pipelines', 'legal.ftp'), subject('test/corpus/valid', 'layers.ftp')];
const legal = subject('test/corpus/valid', 'legal.ftp');
const { text, tokens } = legal;
const errorsOf = ({ found }: ReturnType<typeof legal.check>) =>
  found.filter(({ severity }) => severity === 'error');
const errorsIn = (mutant: string) => errorsOf(legal.check(mutant));

describe('a file with a mistake', () => {
  for (const { name, text, tokens, check, lineOf, describe } of subjects) {
    const sound = check(text);
    const isSilent = (spoilt: ReturnType<typeof check>): boolean =>
      spoilt.found.length === 0 && spoilt.meaning !== sound.meaning;

    it(`has at most two errors for a token that is left out of ${name}, and the first word where it was`, () => {
      const wrong: string[] = [];
      for (const token of tokens) {
        const spoilt = check(text.slice(0, token.startOffset) + text.slice(endOf(token)));
        const away = (spoilt.found[0]?.line ?? lineOf(token)) - lineOf(token);
        if (errorsOf(spoilt).length > 2 || (away !== 0 && away !== 1) || isSilent(spoilt))
          wrong.push(`${describe(token)}: ${spoilt.found.map(({ line, message }) => `${line} ${message}`)}`);
      }
      expect(wrong).to.deep.equal([]);
    });

    it(`has at most two errors for a token that is doubled in ${name}, and one at least`, () => {
      const wrong: string[] = [];
      for (const token of tokens) {
        const spoilt = check(`${text.slice(0, endOf(token))} ${token.image}${text.slice(endOf(token))}`);
        if (errorsOf(spoilt).length > 2 || isSilent(spoilt))
          wrong.push(`${describe(token)}: ${spoilt.found.map(({ message }) => message)}`);
      }
      expect(wrong).to.deep.equal([]);
    });

    it(`never silently means something else when two neighbours of ${name} are swapped`, () => {
      const wrong: string[] = [];
      for (const [i, left] of tokens.entries()) {
        const right = tokens[i + 1];
        if (right === undefined) continue;
        const between = text.slice(endOf(left), right.startOffset);
        const swapped = right.image + between + left.image;
        if (isSilent(check(text.slice(0, left.startOffset) + swapped + text.slice(endOf(right)))))
          wrong.push(describe(left));
      }
      expect(wrong).to.deep.equal([]);
    });
  }

  it('never makes the compiler throw, wherever it is cut off', () => {
    for (let end = 0; end < text.length; end += 13) expect(() => errorsIn(text.slice(0, end))).to.not.throw();
  });

  it('never makes the compiler throw, whatever is swapped', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed % below;
    };
    for (let i = 0; i < 150; i++) {
      const [a, b] = [tokens[random(tokens.length)], tokens[random(tokens.length)]];
      if (a === undefined || b === undefined) continue;
      expect(() => errorsIn(text.slice(0, a.startOffset) + b.image + text.slice(endOf(a)))).to.not.throw();
    }
  });

  it('may use words that objects inherit in JavaScript', () => {
    for (const word of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      const names = text.replace(/\bsmoke\b/g, word);
      expect(errorsIn(names)).to.deep.equal([]);
      const uses = [
        `param a: ${word} = 1`,
        `param a: Int = 1${word}`,
        `budget b { ${word} = 1 }`,
        `budget b { require ${word} < 1 }`,
        `merge m { base = starter(), adapter = m.${word}, ${word} = 2 }`,
        `train t using ${word} { base = ${word}(${word}: 1), lora = { ${word}: 1 }, order = ${word} }`,
        `${word} x { }`,
        `import { ${word} } from "std/data"`,
      ];
      for (const use of uses) {
        const errors = errorsIn(`edition 2026\n${use}\n`);
        expect(errors, use).to.have.length.above(0);
      }
    }
  });

  it('is refused in time where it nests without end', () => {
    for (const [open, close] of ['()', '[]', '{}'] as const) {
      const value = open?.repeat(20_000) + (close?.repeat(20_000) ?? '');
      expect(errorsIn(`edition 2026\nparam n: Int = ${value}\n`).map(({ code }) => code)).to.include(
        'FTP0117',
      );
    }
    const long = Array.from({ length: 20_000 }, () => 'not').join(' ');
    expect(errorsIn(`edition 2026\nparam n: Bool = ${long} true\n`).map(({ code }) => code)).to.deep.equal([
      'FTP0117',
    ]);
  });
});
