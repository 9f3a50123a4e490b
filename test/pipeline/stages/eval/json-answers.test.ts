import { expect } from 'chai';
import type { Call } from '../../../../src/language/ir/program.js';
import { jsonAnswers } from '../../../../src/pipeline/stages/eval/json-answers.js';

const metric = (schema?: string): Call => ({
  call: 'json_valid',
  args: schema === undefined ? {} : { schema: { file: 'schema.json', sha256: '', text: schema } },
});

describe('answers that should be JSON', () => {
  it('are JSON with white space around it, and nothing else', async () => {
    const isValid = await jsonAnswers([{ call: 'bleu', args: {} }, metric()]);
    const answers = [
      ' {"a": 1}\n',
      '[1, 2',
      '',
      'null',
      '```json\n{}\n```',
      "{'a': 1}",
      '[NaN]',
      '[['.repeat(600),
    ];
    expect(answers.map((answer) => isValid?.(answer))).to.deep.equal([
      true,
      ...[false, false],
      true,
      ...[false, false, false, false],
    ]);
  });

  it('satisfy the schema, of either draft', async () => {
    const fields = '"type": "object", "required": ["name"], "properties": { "age": { "minimum": 0 } }';
    for (const draft of [
      'http://json-schema.org/draft-07/schema#',
      'https://json-schema.org/draft/2020-12/schema',
    ]) {
      const isValid = await jsonAnswers([metric(`{ "$schema": "${draft}", ${fields} }`)]);
      const answers = ['{"name": "x"}', '{"name": "x", "age": -1}', '{}', '[]'];
      expect(answers.map((answer) => isValid?.(answer))).to.deep.equal([true, false, false, false]);
    }
  });

  it('satisfy a schema that names no draft, which is of 2020-12 unless only draft 7 reads it', async () => {
    const rest = '"type": "array", "minItems": 2';
    for (const [schema, beyond] of [
      [`{ ${rest}, "prefixItems": [{ "type": "integer" }], "items": { "type": "string" } }`, false],
      [`{ ${rest}, "items": [{ "type": "integer" }], "additionalItems": { "type": "string" } }`, false],
      [`{ ${rest}, "items": [{ "type": "integer" }] }`, true],
    ] as const) {
      const isValid = await jsonAnswers([metric(schema)]);
      const answers = ['[1, "a"]', '["a", "a"]', '[1, 2]'];
      expect(
        answers.map((answer) => isValid?.(answer)),
        schema,
      ).to.deep.equal([true, false, beyond]);
    }
  });

  it('are not looked at where nothing asks for it', async () => {
    expect(await jsonAnswers([{ call: 'bleu', args: {} }])).to.equal(undefined);
  });
});
