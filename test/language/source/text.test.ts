import { expect } from 'chai';
import { lineText, positionAt, sourceText } from '../../../src/language/source/text.js';

describe('positions in a text', () => {
  it('count lines and columns from 1, over every kind of line end', () => {
    const source = sourceText('x', 'a\nbc\r\n\rd');
    expect(source.lineStarts).to.deep.equal([0, 2, 6, 7]);
    expect(positionAt(source, 0)).to.deep.equal({ line: 1, column: 1 });
    expect(positionAt(source, 3)).to.deep.equal({ line: 2, column: 2 });
    expect(positionAt(source, 7)).to.deep.equal({ line: 4, column: 1 });
    expect(positionAt(source, 8)).to.deep.equal({ line: 4, column: 2 });
    expect([1, 2, 3, 4, 5].map((line) => lineText(source, line))).to.deep.equal(['a', 'bc', '', 'd', '']);
  });

  it('agree with counting, wherever they are', () => {
    const text = 'one\ntwo\n\nfour\n';
    const source = sourceText('x', text);
    for (let offset = 0; offset <= text.length; offset++) {
      const before = text.slice(0, offset).split('\n');
      expect(positionAt(source, offset)).to.deep.equal({
        line: before.length,
        column: (before.at(-1)?.length ?? 0) + 1,
      });
    }
  });
});
