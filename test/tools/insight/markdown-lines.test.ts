import { expect } from 'chai';
import { markdownLines } from '../../../src/tools/insight/markdown-lines.js';

const broken = (text: string, width: number): string => markdownLines(text, width).join('\n');

describe('Markdown on a terminal', () => {
  it('goes on below its text in headings and lists, and with its sign in quotations', () => {
    expect(broken('## a heading that is long', 14)).to.equal('## a heading\n   that is\n   long');
    expect(broken('- an item of a list', 12)).to.equal('- an item of\n  a list');
    expect(broken('> what somebody said', 12)).to.equal('> what\n> somebody\n> said');
    expect(broken('> - an item that is quoted', 14)).to.equal('> - an item\n>   that is\n>   quoted');
  });

  it('leaves code alone up to the fence that ends it, and tables', () => {
    const code = [
      '````md',
      '```',
      'a line of code that is long',
      '```',
      '````',
      '~~~',
      '``` is code too, long',
      '~~~',
    ];
    const table = '| a row of a table | that is long |';
    expect(markdownLines([...code, table].join('\n'), 10)).to.deep.equal([...code, table]);
    expect(broken('```\ncode\n```\nand a text after it', 12)).to.equal(
      '```\ncode\n```\nand a text\nafter it',
    );
    expect(broken('`inline` and more of it', 12)).to.equal('`inline` and\nmore of it');
  });
});
