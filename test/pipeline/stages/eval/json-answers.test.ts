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

  it('are not looked at where nothing asks for it', async () => {
    expect(await jsonAnswers([{ call: 'bleu', args: {} }])).to.equal(undefined);
  });
});
