/** Texts of a megabyte that are nearly all mistakes: what they cost is counted, and does not grow with what is wrong. */
import { expect } from 'chai';
import type { IToken } from '../../../grammar/chevrotain.js';
import { FtpParser } from '../../../grammar/parser.js';
import { compile } from '../../../src/language/compile.js';
import { sourceText } from '../../../src/language/source/text.js';
import { MOST_AGAIN } from '../../../src/language/syntax/by-line.js';
import { parse } from '../../../src/language/syntax/parse.js';
import { overlayHost } from '../../helpers/overlay-host.js';

/** Tokens that the parser is given while a text is read. */
function tokensRead(text: string): number {
  const { read } = FtpParser.prototype;
  let count = 0;
  FtpParser.prototype.read = function (rule, tokens: IToken[]) {
    count += tokens.length;
    return read.call(this, rule, tokens);
  };
  try {
    parse(sourceText('p.ftp', text));
  } finally {
    FtpParser.prototype.read = read;
  }
  return count;
}

const block = (lines: number, isBad: (line: number) => boolean, name = 'rows'): string =>
  `data ${name} {\n${Array.from({ length: lines }, (_, line) => (isBad(line) ? '  a = = 3\n' : `  s${line} = ${line}\n`)).join('')}}\n`;

describe('a text of many mistakes', () => {
  it('is read again for each line that is set aside, but not without end', () => {
    const sound = tokensRead(block(20_000, () => false));
    const few = block(20_000, (line) => line % 500 === 7);
    expect(tokensRead(few)).to.be.at.most(sound + MOST_AGAIN);
    const blocks = Array.from({ length: 20 }, (_, at) => block(1000, (line) => line % 25 === 7, `rows${at}`));
    expect(tokensRead(blocks.join('\n'))).to.be.at.most(2 * sound + MOST_AGAIN);
    const small = block(200, (line) => line % 5 === 0);
    expect(tokensRead(small), 'a small one as often as there are lines').to.be.above(
      20 * tokensRead(block(200, () => false)),
    );
  });

  it('is told of as much as anybody reads', () => {
    for (const line of ['"\n', '  x = "abc\n', '/* x */\n', 'a && b\n', '§ x\n', 'x\u200b\n']) {
      const { diagnostics } = parse(sourceText('p.ftp', `edition 2026\n${line.repeat(50_000)}`));
      expect(diagnostics.length, line).to.be.within(200, 2000);
    }
    const [found] = parse(sourceText('p.ftp', '§'.repeat(100_000))).diagnostics;
    expect(found?.message.length).to.be.below(100);
  });

  it('has unknown settings, which are told of up to a number', () => {
    const text = `edition 2026\n\n${block(5000, () => false)}`;
    const host = overlayHost('/p', { 'p.ftp': text });
    const { diagnostics, program } = compile(host, 'p.ftp');
    expect(program).to.equal(undefined);
    expect(diagnostics).to.have.lengthOf(201);
    expect(diagnostics.at(-1)?.message).to.match(/has at least 3\d\d more mistakes/);
  });
});
