/** A whole training step of every architecture on the runtimes that have to be installed, against transformers and PEFT. */
import { expect } from 'chai';
import { createDecoder } from '../../../src/models/decoder/index.js';
import { openHere, whereInstalled } from '../../tensor/runtimes/here.js';
import { FIXTURES, fixture, relativeError, unpack } from './fixture.js';

const LOSS = 1e-6;
const TENSOR = 1e-5;

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
