import { expect } from 'chai';
import type { LoraConfig } from '../../../src/compute/models/adapters/config.js';
import { initAdapter } from '../../../src/compute/models/adapters/kinds.js';
import { createDecoder, type Decoder } from '../../../src/compute/models/decoder/index.js';
import { openModel } from '../../../src/compute/models/load.js';
import { onnxRuntime } from '../../../src/compute/tensor/runtimes/onnx/index.js';
import {
  buildBatch,
  buildPacked,
  IGNORED,
  supervisedTokens,
  type TokenRow,
  type TokenRows,
} from '../../../src/compute/training/batch.js';
import { fixturePath, host, recordedRows } from './fixture.js';

const KEY = { seed: 0, step: 1, micro: 0 };
const LORA: LoraConfig = {
  kind: 'lora',
  rank: 4,
  alpha: 8,
  dropout: 0,
  targets: ['q_proj', 'v_proj', 'down_proj'],
};

/** Tokens of the odd places count a quarter, or are not supervised, or are the only ones that are. */
function rowsOf(odd: 'weighted' | 'ignored' | 'alone'): TokenRows {
  const rows = recordedRows();
  const changed = ({ ids, labels }: TokenRow): TokenRow =>
    odd === 'weighted'
      ? { ids, labels, weights: Float32Array.from(ids, (_, t) => (t % 2 === 1 ? 0.25 : 1)) }
      : { ids, labels: labels.map((label, t) => ((t % 2 === 1) === (odd === 'alone') ? label : IGNORED)) };
  return { ...rows, isWeighted: odd === 'weighted', read: (row) => changed(rows.read(row)) };
}

const ROWS = Uint32Array.of(0, 1, 2);
const batchOf = (rows: TokenRows) => buildBatch(rows, ROWS, 2);
const packedOf = (rows: TokenRows) => buildPacked(rows, [Uint32Array.of(0, 1), Uint32Array.of(2)], 2);

describe('tokens that count less', () => {
  for (const trainable of ['adapter', 'full'] as const)
    describe(`training ${trainable}`, () => {
      let decoder: Decoder;
      before(async () => {
        const { config, ...model } = openModel(host, fixturePath('base'));
        const weights = model.loadWeights(trainable === 'full' ? 'f32' : 'stored');
        decoder = await createDecoder({
          ...{ runtime: await onnxRuntime({ threads: 1 }), config, weights, trainable },
          ...{ logitsChunk: 8, checkpointedBlocks: 0 },
          ...(trainable === 'adapter' && { adapter: initAdapter(config, LORA, { seed: 5, weights }) }),
        });
      });
      after(async () => decoder?.release());

      async function gradients(batch: ReturnType<typeof batchOf>) {
        decoder.zeroGradients();
        const { sum, tokens } = await decoder.accumulate(batch, 0.01, KEY);
        await decoder.collectGradients();
        const values = new Map([...decoder.gradients].map(([name, data]) => [name, data.slice()]));
        return { sum, tokens, values };
      }

      for (const [how, build] of [
        ['padded', batchOf],
        ['packed', packedOf],
      ] as const)
        it(`have their share of loss and gradient, ${how}`, async () => {
          const [whole, less] = [
            await gradients(build(rowsOf('ignored'))),
            await gradients(build(rowsOf('alone'))),
          ];
          const weighted = await gradients(build(rowsOf('weighted')));
          expect(weighted.tokens).to.be.closeTo(whole.tokens + less.tokens / 4, 1e-9);
          expect(weighted.tokens).to.equal(supervisedTokens(build(rowsOf('weighted'))));
          expect(weighted.sum).to.be.closeTo(whole.sum + less.sum / 4, 1e-5 * weighted.sum);
          for (const [name, values] of weighted.values) {
            const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
            values.forEach((value, i) => {
              const expected = (whole.values.get(name)?.[i] ?? 0) + (less.values.get(name)?.[i] ?? 0) / 4;
              expect(Math.abs(value - expected), name).to.be.below(2e-5 * largest);
            });
          }
          const { sum, tokens } = await decoder.loss(build(rowsOf('weighted')));
          expect(tokens).to.equal(weighted.tokens);
          expect(sum).to.be.closeTo(weighted.sum, 1e-5 * sum);
        });
    });
});
