import { join } from 'node:path';
import { expect } from 'chai';
import { createDecoder, type Decoder } from '../../../../src/compute/models/decoder/index.js';
import { openModel } from '../../../../src/compute/models/load.js';
import type { Adapter } from '../../../../src/compute/models/types.js';
import type { TokenRow } from '../../../../src/compute/training/batch.js';
import { createUpdater } from '../../../../src/compute/training/create-updater.js';
import {
  answerSums,
  pairSums,
  type References,
} from '../../../../src/compute/training/objectives/batch-loss.js';
import {
  mismatchedText,
  neighbours,
  type PreferenceRows,
} from '../../../../src/compute/training/objectives/rows.js';
import { ruleOf } from '../../../../src/compute/training/objectives/rules.js';
import { preferenceStep } from '../../../../src/compute/training/objectives/step.js';
import { textsIn } from '../../../../src/compute/training/objectives/texts.js';
import { OPTIMIZERS } from '../../../../src/compute/training/optimizers/index.js';
import { openHere } from '../../tensor/runtimes/here.js';
import { host, largestDifference } from '../fixture.js';
import {
  finalOf,
  folder,
  objectiveOf,
  otherOf,
  type RecordedRun,
  recorded,
  rowsFor,
  startOf,
} from './recorded.js';

/** Whole trainings with preferences, against TRL 1.16: losses within 1e-5 of themselves, tensors within 1e-4 of their largest. */

async function decoderFor(path: string, adapter?: Adapter): Promise<Decoder> {
  const model = openModel(host, path);
  return createDecoder({
    runtime: await openHere('onnx'),
    config: model.config,
    weights: model.loadWeights('stored'),
    adapter,
    trainable: adapter === undefined ? 'none' : 'adapter',
    checkpointedBlocks: 1,
    logitsChunk: 64,
  });
}

async function referencesFor(path: string, source: PreferenceRows): Promise<References> {
  const decoder = await decoderFor(path);
  const { globalBatch } = recorded;
  const input = { decoder, microBatch: 8, padId: 0, pause: async () => {} };
  const all = Uint32Array.from({ length: source.count }, (_, row) => row);
  const texts = textsIn(source, all);
  const sums =
    source.sharesPrompts === true ? await sharedSums(input, texts) : await answerSums(input, texts);
  const own = new Map(texts.map(({ row, side }, index) => [`${row} ${side}`, sums[index] ?? Number.NaN]));
  const others = new Map<number, Float64Array>();
  for (let first = 0; first < source.count; first += globalBatch)
    others.set(
      first,
      await answerSums(
        input,
        neighbours(all.slice(first, first + globalBatch)).map((pair) => mismatchedText(source, pair)),
      ),
    );
  await decoder.release();
  return {
    of: (row, side) => own.get(`${row} ${side}`) ?? Number.NaN,
    mismatched: (rows) => others.get(rows[0] ?? 0) ?? [],
  };
}

/** In the order of the texts: all chosen ones before all rejected ones. */
async function sharedSums(
  input: Parameters<typeof pairSums>[0],
  texts: readonly TokenRow[],
): Promise<Float64Array> {
  const half = texts.length / 2;
  const pairs = texts.slice(0, half).map((chosen, row) => [chosen, texts[half + row] ?? chosen] as const);
  const sums = await pairSums(input, pairs);
  return Float64Array.from(texts, (_, text) => sums[2 * (text % half) + Math.floor(text / half)] ?? 0);
}

async function agrees(
  family: string,
  name: string,
  run: RecordedRun,
  { microBatch, sharesPrompts = false }: { readonly microBatch: number; readonly sharesPrompts?: boolean },
): Promise<void> {
  const { steps, globalBatch, rate, clip } = recorded;
  const objective = objectiveOf(run);
  const source = { ...rowsFor(objective), sharesPrompts };
  const base = join(folder, family);
  const references = ruleOf(objective).hasReference
    ? await referencesFor(run.reference === true ? otherOf(family) : base, source)
    : undefined;
  const decoder = await decoderFor(base, startOf(family, objective));
  const adamw = { momentum: 0, loraplusRatio: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0 };
  const updater = createUpdater(decoder, OPTIMIZERS.adamw, adamw);
  const batches = Math.ceil(source.count / globalBatch);
  for (let step = 1; step <= steps; step++) {
    const first = ((step - 1) % batches) * globalBatch;
    const rows = Uint32Array.from(
      { length: Math.min(globalBatch, source.count - first) },
      (_, row) => first + row,
    );
    const found = await preferenceStep({
      ...{
        decoder,
        updater,
        source,
        objective,
        references,
        rows,
        step,
        rate,
        clip,
        microBatch,
        seed: 1,
        padId: 0,
      },
      pause: async () => {},
    });
    const expected = run.history[step - 1];
    if (expected === undefined) throw new Error(`no step ${step}`);
    expect(found.loss, `loss of step ${step}`).to.be.closeTo(
      expected.loss,
      1e-5 * Math.max(expected.loss, 0.1),
    );
    expect(found.gradNorm).to.be.closeTo(expected.gradNorm, 2e-5 * Math.max(1, expected.gradNorm));
    for (const side of ['chosen', 'rejected'] as const)
      if (expected[side] !== null) expect(found.preference[side]).to.be.closeTo(expected[side], 1e-5);
    if (expected.accuracy !== undefined) expect(found.preference.accuracy).to.equal(expected.accuracy);
    if (expected.kl !== undefined) expect(found.preference.kl).to.be.closeTo(expected.kl, 1e-5);
  }
  expect(largestDifference(decoder.parameters, finalOf(family, name))).to.be.below(1e-4);
  await decoder.release();
}

/** One family is enough to see a wrong formula; the others are left to the long run. */
const titleOf = (family: string, name: string, isUsual = true): string =>
  `${family}: ${name}${family === 'llama' && isUsual ? '' : ' @long'}`;

/** A log-probability, a cross entropy of prompts, one of answers, and a score. */
const READ_ONCE: ReadonlySet<string> = new Set(['dpo-sft', 'orpo', 'reward']);

describe('preferences against TRL', function () {
  this.timeout(60_000);
  for (const [family, runs] of Object.entries(recorded.families))
    for (const [index, [name, run]] of Object.entries(runs).entries())
      it(titleOf(family, name), () => agrees(family, name, run, { microBatch: index % 2 === 0 ? 1 : 3 }));
});

describe('preferences against TRL, prompts computed once', function () {
  this.timeout(60_000);
  for (const [family, runs] of Object.entries(recorded.families))
    for (const [index, [name, run]] of Object.entries(runs).entries())
      if (ruleOf(objectiveOf(run)).rows === 'pairs')
        it(titleOf(family, name, READ_ONCE.has(name)), () =>
          agrees(family, name, run, { microBatch: index % 2 === 0 ? 3 : 1, sharesPrompts: true }),
        );
});
