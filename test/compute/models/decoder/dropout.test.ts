import { expect } from 'chai';
import {
  addUniformNoise,
  dropoutMask,
  EMBEDDED,
  streamOf,
} from '../../../../src/compute/models/decoder/dropout.js';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import { onnxRuntime } from '../../../../src/compute/tensor/runtimes/onnx/index.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { fixture } from './fixture.js';

const KEY = { seed: 11, step: 3, micro: 1 };

const draw = (length: number, rate: number, stream: number) => {
  const mask = new Uint8Array(length);
  dropoutMask(mask, rate, stream);
  return mask;
};
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;

describe('dropout masks', () => {
  it('drop the given share', () => {
    for (const rate of [0.05, 0.1, 0.5]) {
      const size = 200_001;
      const deviation = Math.sqrt((rate * (1 - rate)) / size);
      expect(1 - mean(draw(size, rate, streamOf(KEY, 0, 0)))).to.be.closeTo(rate, 4 * deviation);
    }
    expect(mean(draw(1000, 0, 5))).to.equal(1);
  });

  it('are the same for the same counters and unlike for any other', () => {
    const size = 20_000;
    const base = draw(size, 0.5, streamOf(KEY, 2, 3));
    expect(draw(size, 0.5, streamOf(KEY, 2, 3))).to.deep.equal(base);
    const others = [
      streamOf({ ...KEY, seed: 12 }, 2, 3),
      streamOf({ ...KEY, step: 4 }, 2, 3),
      streamOf({ ...KEY, micro: 2 }, 2, 3),
      streamOf(KEY, 3, 3),
      streamOf(KEY, 2, 4),
      streamOf({ ...KEY, seed: 11 + 2 ** 32 }, 2, 3),
    ];
    for (const stream of others) {
      const agreement = mean(draw(size, 0.5, stream).map((value, index) => (value === base[index] ? 1 : 0)));
      expect(agreement).to.be.closeTo(0.5, 4 * Math.sqrt(0.25 / size));
    }
  });

  it('leave neighbours independent', () => {
    const mask = draw(200_000, 0.5, 1);
    for (const lag of [1, 2, 3, 64, 576])
      expect(mean(mask.slice(lag).map((value, index) => (value === mask[index] ? 1 : 0)))).to.be.closeTo(
        0.5,
        0.005,
      );
  });
});

describe('a decoder with dropout', () => {
  const { recording, adapter, batch, weights } = fixture('tied');
  let runtime: Runtime;
  before(async () => {
    runtime = await onnxRuntime({ threads: 1, scratch: 0 });
  });
  const open = (checkpointedBlocks: number, recomputedMlps = 0, recomputedAttention = 0) =>
    createDecoder({
      runtime,
      config: recording.config,
      weights,
      adapter: {
        config: { ...adapter.config, dropout: 0.2 },
        tensors: new Map(
          [...adapter.tensors].map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]),
        ),
      },
      trainable: 'adapter',
      checkpointedBlocks,
      recomputedMlps,
      recomputedAttention,
      logitsChunk: 64,
    });

  it('gives the same gradients whether blocks are kept or recomputed, and others in another step', async () => {
    const [kept, other] = [await open(0), await open(0)];
    const a = await kept.accumulate(batch, 0.1, KEY);
    for (const recomputed of [await open(2), await open(0, 2), await open(0, 0, 2)]) {
      expect(await recomputed.accumulate(batch, 0.1, KEY)).to.deep.equal(a);
      expect([...recomputed.gradients]).to.deep.equal([...kept.gradients]);
      await recomputed.release();
    }
    const c = await other.accumulate(batch, 0.1, { ...KEY, step: 4 });
    expect(Math.abs(c.sum - a.sum)).to.be.above(1e-3);
    for (const decoder of [kept, other]) await decoder.release();
  });

  it('differentiates the loss that it draws', async () => {
    const decoder = await open(0);
    for (const name of [
      'model.layers.0.self_attn.q_proj.lora_A.weight',
      'model.layers.1.mlp.down_proj.lora_B.weight',
    ]) {
      decoder.zeroGradients();
      await decoder.accumulate(batch, 1, KEY);
      const parameter = decoder.parameters.get(name);
      const gradient = decoder.gradients.get(name)?.slice() ?? new Float32Array();
      if (parameter === undefined) throw new Error(`${name} is not trained`);
      const largest = gradient.reduce(
        (best, value, index) => (Math.abs(value) > Math.abs(gradient[best] ?? 0) ? index : best),
        0,
      );
      const value = parameter.data[largest] ?? 0;
      const lossAt = async (changed: number) => {
        parameter.data[largest] = changed;
        return (await decoder.accumulate(batch, 1, KEY)).sum;
      };
      const slope = ((await lossAt(value + 0.01)) - (await lossAt(value - 0.01))) / 0.02;
      parameter.data[largest] = value;
      expect(slope / (gradient[largest] ?? 0)).to.be.closeTo(1, 0.02);
    }
    await decoder.release();
  });

  it('drops nothing in evaluation', async () => {
    const decoder = await open(0);
    const sums = (await decoder.loss(batch)).rows.map(({ sum }) => sum);
    sums.forEach((sum, row) => {
      expect(sum).to.be.closeTo(recording.lora.rows[row] ?? 0, 1e-4);
    });
    await decoder.release();
  });
});

describe('noise on the embedded tokens', () => {
  const { recording, batch, weights } = fixture('tied');
  const open = async () =>
    createDecoder({
      runtime: await onnxRuntime({ threads: 1, scratch: 0 }),
      config: recording.config,
      weights,
      trainable: 'full',
      checkpointedBlocks: 0,
      logitsChunk: 64,
    });

  it('is uniform within its bound, the same for the same counters', () => {
    const draw = (key: typeof KEY, size = 30_000) => {
      const values = new Float32Array(size);
      addUniformNoise(values, 0.5, streamOf(key, EMBEDDED, 0));
      return values;
    };
    const values = draw(KEY);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.max(...values)).to.be.within(0.499, 0.5);
    expect(Math.min(...values)).to.be.within(-0.5, -0.499);
    expect(mean).to.be.closeTo(0, 0.01);
    expect(square).to.be.closeTo(0.25 / 3, 0.002);
    expect(draw(KEY)).to.deep.equal(values);
    for (const other of [{ step: KEY.step + 1 }, { micro: KEY.micro + 1 }, { seed: KEY.seed + 1 }])
      expect(draw({ ...KEY, ...other }, 8)).to.not.deep.equal(draw(KEY, 8));
  });

  it('changes the loss and the gradients of a training step, and nothing else', async () => {
    const [plain, noisy] = [await open(), await open()];
    const without = await plain.accumulate(batch, 1, KEY);
    const first = await noisy.accumulate(batch, 1, KEY, 0.1);
    expect(Math.abs(first.sum / without.sum - 1)).to.be.within(1e-5, 0.1);
    const gradients = new Map([...noisy.gradients].map(([name, values]) => [name, values.slice()]));
    noisy.zeroGradients();
    expect(await noisy.accumulate(batch, 1, KEY, 0.1)).to.deep.equal(first);
    expect([...noisy.gradients]).to.deep.equal([...gradients]);
    expect((await noisy.accumulate(batch, 1, { ...KEY, step: 9 }, 0.1)).sum).to.not.equal(first.sum);
    expect(await noisy.loss(batch)).to.deep.equal(await plain.loss(batch));
    expect(await noisy.accumulate(batch, 1, KEY)).to.deep.equal(without);
    for (const decoder of [plain, noisy]) await decoder.release();
  });
});
