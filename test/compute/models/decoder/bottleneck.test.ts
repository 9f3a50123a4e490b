/** Loss, logits, gradients and greedy text of bottleneck adapters against AdapterHub's `adapters`. */
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { Decoder, DecoderOptions } from '../../../../src/compute/models/decoder/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { BOTTLENECK_FIXTURES, bottleneckFixture } from './bottleneck-fixture.js';
import { memoryWeights, relativeError, unpack } from './fixture.js';
import { expectGradients, expectRowLosses } from './recorded.js';

const LOSS = 1e-6;
const LOGITS = 1e-5;
const GRADIENTS = 1e-5;
const NO_DROPOUT = { seed: 0, step: 0, micro: 0 };

for (const name of BOTTLENECK_FIXTURES)
  describe(`bottleneck adapters, ${name}`, () => {
    const { recording, config, adapter, batch } = bottleneckFixture(name);
    const { rows, length, adapter: expected } = recording;
    const weights = memoryWeights(recording.weights);
    let runtime: Runtime;
    const open = (changes: Partial<DecoderOptions> = {}): Promise<Decoder> =>
      createDecoder({
        runtime,
        config,
        weights,
        adapter,
        trainable: 'adapter',
        checkpointedBlocks: 0,
        logitsChunk: 64,
        ...changes,
      });
    before(async () => {
      // even the smallest intermediates in shared memory, so that a wrong lifetime shows
      runtime = await onnxRuntime({ threads: 1, scratch: 0 });
    });

    const compareGradients = async (decoder: Decoder) => {
      await decoder.collectGradients();
      expectGradients(decoder, expected.gradients, GRADIENTS);
    };

    it('gives the loss of each row, the logits and every gradient', async () => {
      const decoder = await open();
      const result = await decoder.accumulate(batch, 1 / recording.supervised, NO_DROPOUT);
      expect(result.tokens).to.equal(recording.supervised);
      expectRowLosses(result, expected.rows, LOSS);
      await compareGradients(decoder);
      expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(LOGITS);
      await decoder.release();
    });

    for (const [title, changes] of [
      ['recomputed', { checkpointedBlocks: 9 }],
      ['half recomputed, head in chunks of 7', { checkpointedBlocks: 1, logitsChunk: 7 }],
      ['decoded into a workspace', { weights: memoryWeights(recording.weights, false) }],
    ] as const)
      it(`gives the same when ${title}`, async () => {
        const decoder = await open(changes);
        await decoder.accumulate(batch, 1 / recording.supervised, NO_DROPOUT);
        await compareGradients(decoder);
        await decoder.release();
      });

    it('gives the same from two texts in one row', async () => {
      const decoder = await open();
      const texts = recording.lengths.map((count, row) => [row * length, row * length + count] as const);
      const joined = (data: Int32Array) =>
        Int32Array.from(texts.flatMap(([start, end]) => [...data.subarray(start, end)]));
      const labels = Int32Array.from(
        texts.flatMap(([start, end]) => [-100, ...batch.labels.subarray(start + 1, end)]),
      );
      const segments = Int32Array.from(texts.flatMap(([start, end], row) => Array(end - start).fill(row)));
      const packed = { rows: 1, length: segments.length, ids: joined(batch.ids), labels, segments };
      await decoder.accumulate(packed, 1 / recording.supervised, NO_DROPOUT);
      await compareGradients(decoder);
      await decoder.release();
    });

    it('continues prompts of unequal length as the library does', async () => {
      const decoder = await open({ trainable: 'none' });
      const session = await decoder.session(rows, 40);
      const argmax = (logits: Float32Array, row: number) => {
        const scores = logits.subarray(row * config.vocabSize, (row + 1) * config.vocabSize);
        return scores.indexOf(Math.max(...scores));
      };
      const texts: number[][] = recording.lengths.map(() => []);
      let next = recording.lengths.map((count, row) => batch.ids.slice(row * length, row * length + count));
      for (let step = 0; step < 12; step++) {
        const logits = await session.append(next);
        next = texts.map((text, row) => {
          text.push(argmax(logits, row));
          return Int32Array.of(text.at(-1) ?? 0);
        });
      }
      expect(texts).to.deep.equal(expected.greedy);
      await session.release();
      await decoder.release();
    });
  });
