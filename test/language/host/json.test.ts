import { expect } from 'chai';
import * as v from 'valibot';
import {
  checkJson,
  count,
  JsonFault,
  jsonLines,
  parseJson,
  record,
  sha256,
  tryJson,
  version,
} from '../../../src/language/host/json.js';

const FILE = v.object({ bytes: count, sha256: v.optional(sha256) });
const SCHEMA = v.object({
  version: version(1),
  files: record(FILE, { holds: (name) => name !== '', must: 'a name' }),
  kind: v.optional(v.picklist(['model', 'adapter'])),
  list: v.optional(v.array(v.nullable(v.string()))),
});

const faultOf = (text: string): string | undefined => {
  const value = parseJson(SCHEMA, text);
  return value instanceof JsonFault ? value.detail : undefined;
};

describe('JSON from outside', () => {
  it('is refused where it is nested too deeply to be walked through', () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const quotes = JSON.stringify('\\"[[[');
    const object = (text: string): string => `{"text": ${quotes}, "deep": ${text}}`;
    expect(parseJson(v.looseObject({}), object(nested(400)))).not.to.be.instanceOf(JsonFault);
    const fault = parseJson(v.looseObject({}), object(nested(100_000)));
    expect(fault)
      .to.be.instanceOf(JsonFault)
      .with.property('detail', 'it is nested more than 500 levels deep');
    expect(parseJson(v.array(v.string()), `["${'['.repeat(1_000)}"]`)).not.to.be.instanceOf(JsonFault);
  });

  it('is the value itself, with what the schema does not know', () => {
    const value = { files: { b: { bytes: 1, more: [1] }, a: { bytes: 0 } }, version: 1, other: null };
    expect(checkJson(SCHEMA, value)).to.equal(value);
    expect(parseJson(SCHEMA, `\uFEFF${JSON.stringify(value)}`)).to.deep.equal(value);
  });

  for (const [text, fault] of [
    ['{"version":1', /JSON/],
    ['{'.repeat(100_000), 'it is nested more than 500 levels deep'],
    ['['.repeat(100_000) + ']'.repeat(100_000), 'it is nested more than 500 levels deep'],
    ['null', 'it must be an object, not null'],
    ['7', 'it must be an object, not 7'],
    ['[]', 'it has no `version`'],
    ['{"files":{}}', 'it has no `version`'],
    ['{"version":2,"files":{}}', '`version` must be 1, which this ftpc reads, not 2'],
    ['{"version":1,"version":"1","files":{}}', '`version` must be 1, which this ftpc reads, not "1"'],
    ['{"version":1,"files":[]}', '`files` must be an object, not a list'],
    ['{"version":1,"files":{"a.txt":7}}', '`files["a.txt"]` must be an object, not 7'],
    ['{"version":1,"files":{"a":{}}}', '`files.a` has no `bytes`'],
    ['{"version":1,"files":{"a":{"bytes":1e999}}}', '`files.a.bytes` must be a count, not Infinity'],
    ['{"version":1,"files":{"a":{"bytes":9007199254740993}}}', /must be a count/],
    ['{"version":1,"files":{"a":{"bytes":-1}}}', '`files.a.bytes` must be a count, not -1'],
    [
      '{"version":1,"files":{"a":{"bytes":1,"sha256":"A"}}}',
      '`files.a.sha256` must be a SHA-256 digest, not "A"',
    ],
    ['{"version":1,"files":{"":{"bytes":1}}}', '`files[""]` must be a name, not ""'],
    ['{"version":1,"files":{"__proto__":7}}', '`files.__proto__` must be an object, not 7'],
    ['{"version":1,"files":{"constructor":7}}', '`files.constructor` must be an object, not 7'],
    [
      '{"version":1,"files":{"\\u001b[2J`\\u009b":7}}',
      '`files["\\u001b[2J\\u0060\\u009b"]` must be an object, not 7',
    ],
    ['{"version":1,"files":{},"kind":"other"}', '`kind` must be "model" or "adapter", not "other"'],
    ['{"version":1,"files":{},"list":[null,{}]}', '`list[1]` must be a string, not an object'],
    [
      JSON.stringify({ version: 1, files: {}, kind: 'x'.repeat(1_000_000) }),
      `\`kind\` must be "model" or "adapter", not "${'x'.repeat(100)}…"`,
    ],
  ] as const)
    it(`is refused: ${text.slice(0, 60)}`, () => {
      if (typeof fault === 'string') expect(faultOf(text)).to.equal(fault);
      else expect(faultOf(text)).to.match(fault);
    });

  it('changes nothing of what every object has', () => {
    const value = parseJson(SCHEMA, '{"version":1,"files":{"__proto__":{"bytes":1}},"__proto__":{"x":1}}');
    expect(value).to.not.be.instanceOf(JsonFault);
    expect(({} as Record<string, unknown>)['x']).to.equal(undefined);
  });

  it('is none, or fewer lines, where it serves only when it is sound', () => {
    expect(tryJson(FILE, '{"bytes":1}')).to.deep.equal({ bytes: 1 });
    expect(tryJson(FILE, '{"bytes":"1"}')).to.equal(undefined);
    expect(jsonLines(FILE, '{"bytes":1}\n\n{"bytes"\n7\n{"bytes":2}')).to.deep.equal([
      { bytes: 1 },
      { bytes: 2 },
    ]);
  });
});
