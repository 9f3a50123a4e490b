/** Loss, logits, gradients and greedy text against transformers and PEFT. */
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type {
  Batch,
  Decoder,
  DecoderOptions,
  TokenLosses,
} from '../../../../src/compute/models/decoder/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { FIXTURES, fixture, memoryWeights, modesOf, relativeError, unpack } from './fixture.js';
import { expectGradients, expectRowLosses } from './recorded.js';

const LOSS = 1e-6;
const LOGITS = 1e-5;
const GRADIENTS = 1e-5;
const NO_DROPOUT = { seed: 0, step: 0, micro: 0 };

for (const name of FIXTURES)
  for (const mode of modesOf(name))
    describe(`decoder, ${name}, ${mode} training`, () => {
      const { recording, adapter, batch, weights } = fixture(name);
      const expected = recording[mode];
      let runtime: Runtime;
      const open = (changes: Partial<DecoderOptions> = {}): Promise<Decoder> =>
        createDecoder({
          runtime,
          config: recording.config,
          weights,
          adapter: mode === 'lora' ? adapter : undefined,
          trainable: mode === 'lora' ? 'adapter' : 'full',
          checkpointedBlocks: 0,
          logitsChunk: 64,
          ...changes,
        });
      before(async () => {
        // even the smallest intermediates in shared memory, so that a wrong lifetime shows
        runtime = await onnxRuntime({ threads: 1, scratch: 0 });
      });

      const compareGradients = (decoder: Decoder) => {
        expectGradients(decoder, expected.gradients, GRADIENTS);
      };

      it('gives the loss of each row, the logits and every gradient', async () => {
        const decoder = await open();
        const result = await decoder.accumulate(batch, 1 / recording.supervised, NO_DROPOUT);
        expect(result.tokens).to.equal(recording.supervised);
        expectRowLosses(result, expected.rows, LOSS);
        compareGradients(decoder);
        expect((await decoder.loss(batch)).sum).to.be.closeTo(result.sum, 1e-4);
        expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(LOGITS);
        await decoder.release();
      });

      for (const [title, changes] of [
        ['recomputed', { checkpointedBlocks: 9 }],
        ['MLPs recomputed', { recomputedMlps: 9 }],
        ['attention probabilities recomputed', { recomputedAttention: 9 }],
        ['half recomputed, head in chunks of 7', { checkpointedBlocks: 1, logitsChunk: 7 }],
        ['decoded into a workspace', { weights: memoryWeights(recording.weights, false) }],
        ['decoded into tiles', { weights: memoryWeights(recording.weights, false), tiled: true }],
        ['the vocabulary is in shards of 20', { vocabularyShard: 20 }],
        [
          'the vocabulary is in dequantised shards of 23',
          { vocabularyShard: 23, weights: memoryWeights(recording.weights, false) },
        ],
      ] as const)
        it(`gives the same when ${title}`, async () => {
          const decoder = await open(changes);
          const result = await decoder.accumulate(batch, 1 / recording.supervised, NO_DROPOUT);
          expectRowLosses(result, expected.rows, LOSS);
          compareGradients(decoder);
          expectRowLosses(await decoder.loss(batch), expected.rows, LOSS);
          expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(LOGITS);
          await decoder.release();
        });

      if (mode === 'lora' && (name === 'tied' || name === 'gemma2'))
        it('smooths the labels that are learned alike for all of the vocabulary and in shards', async () => {
          const smoothing = 0.2;
          const found = [];
          for (const vocabularyShard of [undefined, 20]) {
            const decoder = await open({ smoothing, vocabularyShard, logitsChunk: 7 });
            const { sum } = await decoder.accumulate(batch, 1 / recording.supervised, NO_DROPOUT);
            found.push({ sum, gradients: [...decoder.gradients.values()] });
            // what is measured is not smoothed
            expectRowLosses(await decoder.loss(batch), expected.rows, LOSS);
            await decoder.release();
          }
          const [whole, shards] = found;
          expect(whole?.sum).to.be.closeTo(shards?.sum ?? Number.NaN, 1e-4);
          for (const [at, gradient] of (whole?.gradients ?? []).entries())
            expect(relativeError(shards?.gradients[at] ?? new Float32Array(0), gradient)).to.be.at.most(
              GRADIENTS,
            );
          // log p of every token, from the logits
          const logits = unpack(expected.logits);
          const smoothed = supervisedLoss(batch, logits, smoothing);
          expect(whole?.sum).to.be.closeTo(smoothed, 1e-3);
          expect(whole?.sum).not.to.be.closeTo(supervisedLoss(batch, logits, 0), 0.01);
        });

      if (mode === 'lora' && name.startsWith('outer'))
        it('gives the same where nothing is trained and the vocabulary is in shards of 20', async () => {
          const decoder = await open({ trainable: 'none', vocabularyShard: 20 });
          expectRowLosses(await decoder.loss(batch), expected.rows, LOSS);
          expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(LOGITS);
          await decoder.release();
        });

      if (mode === 'lora' && name === 'outer-gpt2')
        it('drops the same of what the factors of the head read, whatever the chunks are', async () => {
          const dropping = { ...adapter, config: { ...adapter.config, dropout: 0.5 } };
          const found = [];
          for (const [logitsChunk, scale] of [
            [64, 0.1],
            [7, 0.1],
            [7, ({ losses }: TokenLosses) => losses.map(() => 0.1)],
          ] as const) {
            const decoder = await open({ adapter: dropping, logitsChunk });
            const { sum } = await decoder.accumulate(batch, scale, NO_DROPOUT);
            found.push({ sum, gradients: decoder.gradients });
            expectRowLosses(await decoder.loss(batch), expected.rows, LOSS);
            await decoder.release();
          }
          const [whole, ...others] = found;
          for (const { sum, gradients } of others) {
            expect(sum).to.be.closeTo(whole?.sum ?? Number.NaN, 1e-4);
            for (const [tensor, gradient] of whole?.gradients ?? [])
              expect(relativeError(gradients.get(tensor) ?? [], gradient), tensor).to.be.at.most(GRADIENTS);
          }
          const all = expected.rows.reduce((total, row) => total + row, 0);
          expect(whole?.sum).not.to.be.closeTo(all, 0.01);
        });

      it('adds micro batches of padded rows up to the batch', async () => {
        const decoder = await open();
        for (let row = 0; row < batch.rows; row++) {
          const part = (data: Int32Array) => {
            const padded = new Int32Array(16).fill(data === batch.labels ? -100 : 3);
            padded.set(data.subarray(row * batch.length, (row + 1) * batch.length));
            return padded;
          };
          const micro = { rows: 1, length: 16, ids: part(batch.ids), labels: part(batch.labels) };
          await decoder.accumulate(micro, 1 / recording.supervised, NO_DROPOUT);
        }
        compareGradients(decoder);
        decoder.zeroGradients();
        expect(
          [...decoder.gradients.values()].every((gradient) => gradient.every((value) => value === 0)),
        ).to.equal(true);
        await decoder.release();
      });

      it('gives 0 and no gradient without a supervised token', async () => {
        const decoder = await open();
        const silent = { ...batch, labels: batch.labels.map(() => -100) };
        const result = await decoder.accumulate(silent, 1, NO_DROPOUT);
        expect(result).to.deep.equal({ sum: 0, tokens: 0, rows: Array(3).fill({ sum: 0, tokens: 0 }) });
        expect(
          [...decoder.gradients.values()].every((gradient) => gradient.every((value) => value === 0)),
        ).to.equal(true);
        await decoder.release();
      });

      if (mode === 'lora')
        it('continues prompts of unequal length as a full recomputation does', async () => {
          const decoder = await open({ trainable: 'none' });
          const session = await decoder.session(batch.rows, 40);
          const argmax = (logits: Float32Array, row: number) => {
            const scores = logits.subarray(
              row * recording.config.vocabSize,
              (row + 1) * recording.config.vocabSize,
            );
            return scores.indexOf(Math.max(...scores));
          };
          const texts: number[][] = recording.lengths.map(() => []);
          let next = recording.lengths.map((length, row) =>
            batch.ids.slice(row * batch.length, row * batch.length + length),
          );
          for (let step = 0; step < 12; step++) {
            const logits = await session.append(next);
            next = texts.map((text, row) => {
              text.push(argmax(logits, row));
              return Int32Array.of(text.at(-1) ?? 0);
            });
          }
          expect(texts).to.deep.equal(recording.lora.greedy);
          await session.release();
          await decoder.release();
        });
    });

/** The loss of a batch from its logits `[rows·length, vocab]`, in float64; a share of it is the mean over the vocabulary. */
function supervisedLoss(
  { rows, length, labels }: Batch,
  logits: ArrayLike<number>,
  smoothing: number,
): number {
  const vocab = logits.length / (rows * length);
  let total = 0;
  for (let at = 0; at < rows * length; at++) {
    const label = (at + 1) % length === 0 ? -100 : (labels[at + 1] ?? -100);
    if (label === -100) continue;
    const own = Array.from({ length: vocab }, (_, token) => logits[at * vocab + token] ?? 0);
    const most = Math.max(...own);
    const log = most + Math.log(own.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
    const all = own.reduce((sum, logit) => sum + (log - logit), 0);
    total += (1 - smoothing) * (log - (own[label] ?? 0)) + (smoothing / vocab) * all;
  }
  return total;
}
