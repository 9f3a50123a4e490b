import { expect } from 'chai';
import { parseLine, RowFault } from '../../../../src/pipeline/stages/data/parse-row.js';

function detailOf(text: string): string | undefined {
  const bytes = Buffer.from(text);
  const parsed = parseLine({ number: 1, offset: 0, bytes, tooLong: false, length: bytes.length });
  return parsed instanceof RowFault ? `${parsed.reason}: ${parsed.detail}` : undefined;
}

describe('a line of JSON', () => {
  const half = 'malformed: it has a string that is not valid Unicode: a lone surrogate, as in `\\ud800`';
  const cases: readonly (readonly [text: string, detail: string | undefined])[] = [
    ['{"text": "\\ud83d\\ude00"}', undefined],
    ['{"text": "\\\\ud800"}', undefined],
    ['{"text": "\\ud800"}', half],
    ['{"messages": [{"role": "user", "content": "a \\uDFFF"}]}', half],
    ['{"\\ud800": 1}', half],
    ['{"a": null, "text": "\\ud800"}', half],
    ['{"text": "a", "text": "b"}', 'malformed: an object in it names `text` twice'],
    ['{"text": "a", "t\\u0065xt": "a"}', 'malformed: an object in it names `text` twice'],
    [
      '{"messages": [{"role": "user", "content": "a", "role": "user"}]}',
      'malformed: an object in it names `role` twice',
    ],
    ['{"a": [["a", "a"], {"a": {"a": "a\\\\"}, "b": "\\"a\\": {"}], "b": "a"}', undefined],
    [
      `{"text": "a", "x": ${'['.repeat(5000)}${']'.repeat(5000)}}`,
      'malformed: it is nested more than 500 levels deep',
    ],
    ['{"a": {}, "b": {"a": []}, "c": {"a": 1}, "": 2, " ": ","}', undefined],
    [
      '{"text": "a\u0000b"}',
      'malformed: not JSON: Bad control character in string literal in JSON at position 11',
    ],
  ];
  for (const [text, detail] of cases)
    it(JSON.stringify(text.slice(0, 80)), () => {
      expect(detailOf(text)).to.satisfy((found: string | undefined) =>
        detail === undefined ? found === undefined : found?.startsWith(detail),
      );
    });
});
