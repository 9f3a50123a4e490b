/**
 * Texts of more tokens than a block of queries, at windows below, at and above its 128: what they give at once is what they
 * give token by token over a cache that grows, and alone what they give beside others.
 */
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { Decoder, DecoderOptions } from '../../../../src/compute/models/decoder/types.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import { buildBatch, buildPacked, type TokenRows } from '../../../../src/compute/training/batch.js';
import { fixture, relativeError } from './fixture.js';

const CLOSE = 1e-5;
const NO_DROPOUT = { seed: 0, step: 0, micro: 0 };

/** Fixtures, with these windows in the place of their own. */
const CASES = [
  ['tied', undefined],
  ['mistral', 100],
  ['mistral', 128],
  ['mistral', 129],
  ['gemma2', 200],
  ['gemma3', 70],
] as const;

const LENGTHS = [300, 129, 128, 7];

for (const [name, window] of CASES)
  describe(`long texts, ${name}${window === undefined ? '' : ` with a window of ${window}`}`, () => {
    const { recording, adapter, weights } = fixture(name);
    const config = { ...recording.config, maxPositions: 512, ...(window === undefined ? {} : { window }) };
    const { vocabSize } = config;
    const texts = LENGTHS.map((length, text) =>
      Int32Array.from({ length }, (_, at) => 3 + ((at * at + 31 * at + 7 * text) % (vocabSize - 4))),
    );
    const textOf = (row: number): Int32Array => texts[row] ?? new Int32Array(0);
    const rows: TokenRows = {
      count: texts.length,
      lengthOf: (row) => textOf(row).length,
      read: (row) => ({ ids: textOf(row), labels: textOf(row) }),
    };
    const open = async (changes: Partial<DecoderOptions> = {}): Promise<Decoder> =>
      createDecoder({
        ...{ runtime: await onnxRuntime({ threads: 1, scratch: 0 }), config, weights, adapter },
        ...{ trainable: 'none', checkpointedBlocks: 1, logitsChunk: 100 },
        ...changes,
      });

    it('give at once what they give token by token', async () => {
      const decoder = await open();
      const ids = textOf(0);
      const whole = await decoder.logits({ rows: 1, length: ids.length, ids });
      const session = await decoder.session(1, ids.length);
      const begun = 30;
      const steps = new Float32Array(whole.length - (begun - 1) * vocabSize);
      steps.set(await session.append([ids.slice(0, begun)]));
      for (let at = begun; at < ids.length; at++)
        steps.set(await session.append([ids.slice(at, at + 1)]), (at + 1 - begun) * vocabSize);
      expect(relativeError(steps, whole.subarray((begun - 1) * vocabSize))).to.be.at.most(CLOSE);
      await session.release();
      await decoder.release();
    });

    it('give alone what they give in a batch, and in a row that they share', async () => {
      const decoder = await open({ trainable: 'adapter' });
      const every = Uint32Array.from(texts.keys());
      const gradientsOf = async (batches: readonly Parameters<Decoder['accumulate']>[0][]) => {
        decoder.zeroGradients();
        let sum = 0;
        for (const batch of batches) sum += (await decoder.accumulate(batch, 1, NO_DROPOUT)).sum;
        return { sum, gradients: new Map([...decoder.gradients].map(([key, data]) => [key, data.slice()])) };
      };
      const alone = await gradientsOf([...every].map((row) => buildBatch(rows, Uint32Array.of(row), 0)));
      for (const together of [
        buildBatch(rows, every, 0),
        buildPacked(rows, [every], 0, { longestText: LENGTHS[0] }),
        buildPacked(rows, [every.subarray(0, 1), every.subarray(1)], 0),
      ]) {
        const { sum, gradients } = await gradientsOf([together]);
        expect(Math.abs(sum / alone.sum - 1)).to.be.at.most(1e-6);
        for (const [key, data] of gradients)
          expect(relativeError(data, alone.gradients.get(key) ?? []), key).to.be.at.most(CLOSE);
      }
      await decoder.release();
    });
  });
