/** A whole training step of every architecture on the runtimes that have to be installed, against transformers, PEFT and AdapterHub. */
import { expect } from 'chai';
import { expectedTensors } from '../../../src/models/architectures/index.js';
import { createDecoder } from '../../../src/models/decoder/index.js';
import { blockTensor, float32Tensor } from '../../../src/models/weights/dense.js';
import { encodeBfloat16 } from '../../../src/models/weights/half.js';
import { quantiseNf4 } from '../../../src/models/weights/nf4-quantise.js';
import { nf4Tensor } from '../../../src/models/weights/nf4-tensor.js';
import { weightStore } from '../../../src/models/weights/store.js';
import { sizeOf } from '../../../src/tensor/shape.js';
import { openHere, whereInstalled } from '../../tensor/runtimes/here.js';
import { BOTTLENECK_FIXTURES, bottleneckFixture } from './bottleneck-fixture.js';
import { FIXTURES, fixture, memoryWeights, relativeError, unpack } from './fixture.js';

const LOSS = 1e-6;
/** The smallest gradients of the fixture with a tanh in its MLP bear no more exact products in another order. */
const TENSOR = 2.5e-5;

whereInstalled('tensorflow', () => {
  for (const name of FIXTURES)
    for (const mode of ['full', 'lora'] as const)
      it(`tensorflow gives the losses, logits and gradients of ${name}, ${mode} training`, async () => {
        const { recording, adapter, batch, weights } = fixture(name);
        const expected = recording[mode];
        const decoder = await createDecoder({
          runtime: await openHere('tensorflow'),
          config: recording.config,
          weights,
          ...(mode === 'lora' ? { adapter } : {}),
          trainable: mode === 'lora' ? 'adapter' : 'full',
          // one layer keeps its intermediates, the others are computed again
          checkpointedBlocks: recording.config.layers - 1,
          headChunk: 7,
        });
        const key = { seed: 0, step: 0, micro: 0 };
        const result = await decoder.accumulate(batch, 1 / recording.supervised, key);
        expect(result.tokens).to.equal(recording.supervised);
        result.rows.forEach(({ sum }, row) => {
          expect(Math.abs(sum / (expected.rows[row] ?? 0) - 1)).to.be.at.most(LOSS);
        });
        await decoder.collectGradients();
        for (const [tensor, packed] of Object.entries(expected.gradients))
          expect(relativeError(decoder.gradients.get(tensor) ?? [], unpack(packed)), tensor).to.be.at.most(
            TENSOR,
          );
        expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(TENSOR);
        await decoder.release();
      });

  for (const name of BOTTLENECK_FIXTURES)
    it(`tensorflow gives the losses, logits and gradients of bottleneck adapters, ${name}`, async () => {
      const { recording, config, adapter, batch } = bottleneckFixture(name);
      const expected = recording.adapter;
      const decoder = await createDecoder({
        runtime: await openHere('tensorflow'),
        config,
        weights: memoryWeights(recording.weights),
        adapter,
        trainable: 'adapter',
        checkpointedBlocks: config.layers - 1,
        headChunk: 7,
      });
      const key = { seed: 0, step: 0, micro: 0 };
      const result = await decoder.accumulate(batch, 1 / recording.supervised, key);
      result.rows.forEach(({ sum }, row) => {
        expect(Math.abs(sum / (expected.rows[row] ?? 0) - 1)).to.be.at.most(LOSS);
      });
      await decoder.collectGradients();
      for (const [tensor, packed] of Object.entries(expected.gradients))
        expect(relativeError(decoder.gradients.get(tensor) ?? [], unpack(packed)), tensor).to.be.at.most(
          TENSOR,
        );
      expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(TENSOR);
      await decoder.release();
    });

  it('tensorflow keeps weights packed, and trains as ONNX Runtime does over what they stand for', async () => {
    const { recording, adapter, batch, weights } = fixture('tied');
    const { config, supervised } = recording;
    const stored = weightStore(
      'packed',
      expectedTensors(config).map(({ name, shape, role }) => {
        const values = new Float32Array(sizeOf(shape));
        weights.get(name).decode(values);
        if (role === 'projection')
          return nf4Tensor(
            name,
            shape,
            quantiseNf4(values.length, (from, count) => values.subarray(from, from + count)),
          );
        if (role === 'norm') return float32Tensor(name, shape, values);
        return blockTensor(name, shape, 'BF16', new Uint8Array(encodeBfloat16(values).buffer));
      }),
    );
    const runs = [];
    for (const name of ['onnx', 'tensorflow'] as const) {
      const runtime = await openHere(name);
      const decoder = await createDecoder({
        ...{ runtime, config, adapter, weights: stored, trainable: 'adapter', checkpointedBlocks: 1 },
        headChunk: 7,
      });
      const { sum } = await decoder.accumulate(batch, 1 / supervised, { seed: 0, step: 0, micro: 0 });
      await decoder.collectGradients();
      const gradients = new Map([...decoder.gradients].map(([key, data]) => [key, data.slice()]));
      const logits = await decoder.logits(batch);
      runs.push({ sum, gradients, logits });
      await decoder.release();
    }
    const [onnx, tensorflow] = runs;
    if (onnx === undefined || tensorflow === undefined) throw new Error('two runs');
    expect(Math.abs(tensorflow.sum / onnx.sum - 1)).to.be.at.most(LOSS);
    expect(relativeError(tensorflow.logits, onnx.logits)).to.be.at.most(TENSOR);
    for (const [key, data] of onnx.gradients)
      expect(relativeError(tensorflow.gradients.get(key) ?? [], data), key).to.be.at.most(TENSOR);
  });

  it('tensorflow holds no tensor more after a hundred steps, and none after the decoder is let go of', async () => {
    const { recording, adapter, batch, weights } = fixture('untied');
    const runtime = await openHere('tensorflow');
    const before = { ...runtime.memory.account };
    const decoder = await createDecoder({
      ...{ runtime, weights, adapter, config: recording.config, trainable: 'adapter', headChunk: 7 },
      checkpointedBlocks: 1,
    });
    const step = async (count: number) => {
      decoder.zeroGradients();
      await decoder.accumulate(batch, 1 / recording.supervised, { seed: 0, step: count, micro: 0 });
      decoder.parametersChanged();
    };
    for (let count = 1; count <= 3; count++) await step(count);
    const { tensors, bytes, peak } = runtime.memory.account;
    for (let count = 4; count <= 100; count++) await step(count);
    expect(runtime.memory.account).to.include({ tensors, bytes, peak });
    await decoder.release();
    expect(runtime.memory.account).to.include({ tensors: before.tensors, bytes: before.bytes });
  });
});
