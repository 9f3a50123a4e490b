import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { choiceLosses } from '../../../../src/compute/evaluation/choice-losses.js';
import { evaluationDecoder } from '../../../../src/compute/evaluation/evaluation-decoder.js';
import { rowLosses } from '../../../../src/compute/evaluation/losses.js';
import { measure } from '../../../../src/compute/evaluation/metrics/measure.js';
import {
  likelihoodsOf,
  measuredQuestions,
  questionsOf,
} from '../../../../src/compute/evaluation/multiple-choice.js';
import type { HeldOut } from '../../../../src/compute/evaluation/observe.js';
import type { Decoder } from '../../../../src/compute/models/decoder/types.js';
import { openModel } from '../../../../src/compute/models/load.js';
import { openRuntime } from '../../../../src/compute/tensor/runtimes/index.js';
import type { TokenRows } from '../../../../src/compute/training/batch.js';
import { nodeHost } from '../../../../src/language/host/node-host.js';
import type { FormatSettings } from '../../../../src/language/schemas/stages/format.js';
import type { EncodedRow } from '../../../../src/pipeline/stages/format/encode-row.js';
import { openEncoder } from '../../../../src/pipeline/stages/format/row-encoder.js';
import { SPAN } from '../../../compute/evaluation/tiny.js';

type Row = Readonly<Record<string, unknown>>;

interface Recorded {
  readonly name: string;
  readonly acc: number;
  readonly acc_norm: number;
  readonly likelihoods: readonly (readonly number[])[];
}

const host = nodeHost();
const folder = join(host.packageFolder, 'test', 'fixtures', 'choices');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const rows = read('questions.jsonl')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);
const recorded = JSON.parse(read('expected.json')) as readonly Recorded[];

/** The rows of a recorded task. */
const rowsOf = (name: string): readonly Row[] => {
  const [set, subject] = name.split('/');
  return rows.filter((row) => row['set'] === set && (subject === undefined || row['subject'] === subject));
};

describe('questions with choices, as lm-evaluation-harness scores them', () => {
  const model = openModel(host, join(host.packageFolder, 'stdlib', 'models', 'starter'));
  let decoder: Decoder;
  before(async () => {
    const runtime = await openRuntime(host, 'onnx', { threads: 1 });
    decoder = await evaluationDecoder({
      runtime,
      config: model.config,
      weights: model.loadWeights('stored'),
    });
  });
  after(() => decoder.release());

  const heldOutOf = async (name: string): Promise<HeldOut> => {
    const isMmlu = name.startsWith('mmlu');
    const args = isMmlu ? { style: 'letters', few_shot: 2 } : { style: 'endings', few_shot: 0 };
    const settings: FormatSettings = {
      from: { stage: 'rows', port: '' },
      model: undefined,
      template: { call: 'choices', args },
      max_length: 512,
      overflow: 'drop',
      loss_on: 'assistant',
    };
    const examples = { rows: rows.filter((row) => row['set'] === 'mmlu_dev') };
    const encoder = await openEncoder(model, settings, { name: 'questions', span: SPAN }, { examples });
    const choices = rowsOf(name).flatMap((row): readonly (EncodedRow & { readonly prompt: string })[] => {
      const outcome = encoder.encode(row);
      if ('reason' in outcome) throw new Error(outcome.detail);
      return outcome.kept.map((kept) => ({ ...kept, prompt: outcome.rendered.prompt }));
    });
    const tokens: TokenRows = {
      count: choices.length,
      lengthOf: (row) => choices[row]?.ids.length ?? 0,
      read: (row) => choices[row] ?? { ids: new Int32Array(), labels: new Int32Array() },
    };
    return {
      tokens,
      text: (row) => ({ prompt: '', answer: '', file: '', line: 0, choice: choices[row]?.choice }),
      promptTokens: (row) => choices[row]?.promptTokens ?? 0,
      stopIds: [],
      padId: 0,
    };
  };

  for (const { name, acc, acc_norm: normalised, likelihoods } of recorded)
    it(`${name}: each log-likelihood to 1e-4, and the same accuracies`, async () => {
      const heldOut = await heldOutOf(name);
      const losses = await choiceLosses(decoder, heldOut.tokens, { padId: 0, batchTokens: 512 });
      const questions = questionsOf(heldOut) ?? [];
      const ours = questions.map((question) => likelihoodsOf(question, losses));
      expect(ours.map(({ length }) => length)).to.deep.equal(likelihoods.map(({ length }) => length));
      for (const [at, each] of ours.flat().entries())
        expect(each, `${at}`).to.be.closeTo(likelihoods.flat()[at] ?? Number.NaN, 1e-4);
      const measured = measuredQuestions(questions, losses);
      expect(measure('accuracy', measured, { seed: 1 })?.value).to.equal(acc);
      expect(measure('accuracy_normalised', measured, { seed: 1 })?.value).to.equal(normalised);
    });

  it('are the losses of whole rows, without what is shared', async () => {
    const { tokens } = await heldOutOf('winogrande');
    const options = { padId: 0, batchTokens: 512 };
    const [shared, whole] = [
      await choiceLosses(decoder, tokens, options),
      await rowLosses(decoder, tokens, options),
    ];
    for (const [row, { sum, tokens: scored }] of shared.entries()) {
      expect(sum).to.be.closeTo(whole[row]?.sum ?? Number.NaN, 1e-4);
      expect(scored).to.equal(whole[row]?.tokens);
    }
  });
});
