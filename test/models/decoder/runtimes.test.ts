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
        for (const [tensor, packed] of Object.entries(expected.gradients))
          expect(relativeError(decoder.gradients.get(tensor) ?? [], unpack(packed)), tensor).to.be.at.most(
            TENSOR,
          );
        expect(relativeError(await decoder.logits(batch), unpack(expected.logits))).to.be.at.most(TENSOR);
        await decoder.release();
      });
});
