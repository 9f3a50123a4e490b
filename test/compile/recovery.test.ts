import { join } from 'node:path';
import { expect } from 'chai';
import type { IToken } from '../../grammar/chevrotain.js';
import { lexer, Newline } from '../../grammar/tokens.js';
import { compile } from '../../src/compile.js';
import { locate } from '../../src/diagnostics/render/index.js';
import { nodeHost } from '../../src/source/node-host.js';
import { overlayHost, remembering } from '../helpers/overlay-host.js';

const folder = join(nodeHost().packageFolder, 'test/corpus/valid');
const text = nodeHost().readText(join(folder, 'legal.ftp'));
const tokens = lexer.tokenize(text).tokens.filter((token) => token.tokenType !== Newline);
const endOf = (token: IToken): number => token.startOffset + token.image.length;
const lineOf = (token: IToken): number => text.slice(0, token.startOffset).split('\n').length;

const disk = remembering(nodeHost(folder));

function errorsIn(mutant: string) {
  const { diagnostics, sources } = compile(overlayHost(folder, { 'mutant.ftp': mutant }, disk), 'mutant.ftp');
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map((diagnostic) => ({ ...diagnostic, line: locate(diagnostic, sources).line }));
}

const describeToken = (token: IToken): string => `\`${token.image}\` of line ${lineOf(token)}`;

/** Taking such a token out leaves a sound declaration, and what it declared is missed further down. */
const isDeclaredName = (token: IToken): boolean =>
  /^\s*(import|metrics)\b/.test(text.split('\n')[lineOf(token) - 1] ?? '') && /^\w+$/.test(token.image);

describe('a file with a mistake', function () {
  this.timeout(60_000);

  it('has at most two errors for a token that is left out, the first where it was', () => {
    const wrong: string[] = [];
    for (const token of tokens) {
      const errors = errorsIn(text.slice(0, token.startOffset) + text.slice(endOf(token)));
      const away = errors[0] === undefined ? 0 : errors[0].line - lineOf(token);
      if (errors.length > 2 || (!isDeclaredName(token) && away !== 0 && away !== 1))
        wrong.push(`${describeToken(token)}: ${errors.map(({ line, message }) => `${line} ${message}`)}`);
    }
    expect(wrong).to.deep.equal([]);
  });

  it('has at most two errors for a token that is doubled', () => {
    const wrong: string[] = [];
    for (const token of tokens) {
      const errors = errorsIn(`${text.slice(0, endOf(token))} ${token.image}${text.slice(endOf(token))}`);
      if (errors.length > 2) wrong.push(`${describeToken(token)}: ${errors.map(({ message }) => message)}`);
    }
    expect(wrong).to.deep.equal([]);
  });

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
