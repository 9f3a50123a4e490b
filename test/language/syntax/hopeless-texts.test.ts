/** Texts of up to a megabyte in which next to nothing is right: each is read to its end, or given up, in one pass. */
import { expect } from 'chai';
import { sourceText } from '../../../src/language/source/text.js';
import { parse } from '../../../src/language/syntax/parse.js';

const codes = (text: string): readonly string[] =>
  parse(sourceText('x.ftp', text)).diagnostics.map(({ code }) => code);

describe('a text in which next to nothing is right', () => {
  const ONE: readonly (readonly [name: string, text: string, code: string])[] = [
    ['lines after a string that is not closed', `"""\n${'a\n'.repeat(100_000)}`, 'FTP0102'],
    ['lines in a block', `train a {\n${'a\n'.repeat(100_000)}`, 'FTP0107'],
    ['braces', '}'.repeat(300_000), 'FTP0111'],
    ['lines with a brace', '}\n'.repeat(300_000), 'FTP0111'],
    ['lines with a parenthesis', ')\n'.repeat(300_000), 'FTP0111'],
    ['commas', ','.repeat(900_000), 'FTP0111'],
    ['brackets', '['.repeat(900_000), 'FTP0117'],
  ];
  for (const [name, text, code] of ONE)
    it(`of ${name} has one mistake`, () => {
      expect(codes(text)).to.deep.equal([code]);
    });

  it('of blocks in blocks is given up after a thousand mistakes', () => {
    const found = codes('train a {\n'.repeat(20_000));
    expect(new Set(found)).to.deep.equal(new Set(['FTP0108']));
    expect(found).to.have.lengthOf(1000);
  });

  it('has a mistake in each part that a declaration begins', () => {
    const junk = 'a\n'.repeat(5000);
    expect(codes(`${junk}param x: Number = 1\n${junk}param y: Number = 2\n`)).to.deep.equal([
      'FTP0111',
      'FTP0111',
    ]);
  });

  it('still has the declarations that come after it', () => {
    const { tree } = parse(sourceText('x.ftp', `${'a\n'.repeat(5000)}param y: Number = 2\n`));
    expect(tree.params.map(({ name }) => name.text)).to.deep.equal(['y']);
  });
});
