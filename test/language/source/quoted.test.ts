import { expect } from 'chai';
import { quoted } from '../../../src/language/source/quoted.js';
import { sourceText } from '../../../src/language/source/text.js';
import { parseExpression } from '../../../src/language/syntax/parse.js';

describe('a string in quotes', () => {
  for (const text of [
    'plain',
    'a "word" \\ here',
    'two\nlines\t',
    'a\u001bb\r\u0000',
    '\u2028\u202e',
    '日本 🐈',
  ])
    it(`reads back as it was: ${JSON.stringify(text)}`, () => {
      const { expression, diagnostics } = parseExpression(sourceText('x', quoted(text)));
      expect(diagnostics).to.deep.equal([]);
      expect(expression).to.deep.include({ kind: 'string', value: text });
    });
});
