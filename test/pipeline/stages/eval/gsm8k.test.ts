import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { measure } from '../../../../src/compute/evaluation/metrics/measure.js';
import type { MetricArgs, MetricName } from '../../../../src/compute/evaluation/metrics/types.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import { openEncoder } from '../../../../src/pipeline/stages/format/row-encoder.js';
import { SPAN } from '../../../compute/evaluation/tiny.js';

interface Row {
  readonly set: string;
  readonly answer: string;
  readonly answers?: readonly string[];
}

const host = nodeHost();
const folder = join(host.packageFolder, 'test', 'fixtures', 'gsm8k');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const rows = read('questions.jsonl')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row & Readonly<Record<string, unknown>>);
const asked = rows.filter(({ set }) => set === 'test');
const recorded = JSON.parse(read('expected.json')) as readonly {
  readonly prompt: string;
  readonly strict: readonly number[];
  readonly flexible: readonly number[];
}[];

describe('GSM8K, as lm-evaluation-harness asks it', () => {
  it('shows the same prompts', async () => {
    const model = openModel(host, join(host.packageFolder, 'stdlib', 'models', 'starter'));
    const encoder = await openEncoder(
      model,
      {
        from: { stage: 'rows', port: '' },
        model: undefined,
        template: { call: 'question_answer', args: { few_shot: 5 } },
        max_length: 2048,
        overflow: 'drop',
        loss_on: 'assistant',
      },
      { name: 'asked', span: SPAN },
      { examples: { rows: rows.filter(({ set }) => set === 'train') } },
    );
    for (const [at, row] of asked.entries()) {
      const outcome = encoder.encode(row);
      if ('reason' in outcome) throw new Error(outcome.detail);
      expect(outcome.rendered.prompt).to.equal(recorded[at]?.prompt);
      expect(outcome.rendered.answer).to.equal(row.answer);
    }
  });

  const extract = '#### (-?[0-9.,]+)';
  const SCORES: readonly (readonly ['strict' | 'flexible', MetricName, MetricArgs])[] = [
    ['strict', 'exact_match', { extract }],
    ['flexible', 'number_match', {}],
  ];
  for (const [name, metric, args] of SCORES)
    it(`scores answers the same: ${name}`, () => {
      for (const [at, { answer: reference, answers = [] }] of asked.entries()) {
        const scores = answers.map((answer) => {
          const row = { lossSum: 0, tokens: 1, unigramSum: 0, reference, referenceTokens: 1 };
          // the task ends answers there
          const ended = answer.split('Question:')[0] ?? '';
          return measure(metric, [{ ...row, answer: ended }], { args, seed: 1 })?.value;
        });
        expect(scores, `${at}`).to.deep.equal(recorded[at]?.[name]);
      }
    });
});
