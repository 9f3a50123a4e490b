import { addEmbeddingGradient } from './embedding.js';
import { headGradient, headLogits, headLoss, prepareHead } from './head.js';
import { createMachine } from './machine.js';
import { openSession } from './session.js';
import { evaluateStack, trainStack, upstreamBuffer } from './stack.js';
import { lossResult, supervisionOf } from './supervision.js';
import type { Batch, Decoder, DecoderOptions } from './types.js';

/**
 * A decoder over stored weights. Throws a `ModelError` where weights or adapter don't fit the configuration.
 * Calls must not overlap: they share their buffers.
 */
export async function createDecoder(options: DecoderOptions): Promise<Decoder> {
  const machine = createMachine(options);
  const { parameters } = machine;
  return {
    options,
    parameters: parameters.values,
    gradients: parameters.gradients,
    zeroGradients() {
      for (const gradient of parameters.gradients.values()) gradient.fill(0);
    },
    async accumulate(batch, scale, key, noise = 0) {
      if (options.trainable === 'none') throw new RangeError('this decoder trains nothing');
      const supervision = supervisionOf(batch);
      // without a supervised token the loss is 0 and so is every gradient
      if (supervision.positions.length === 0) return lossResult(batch, [], new Float32Array(0));
      await prepareHead(machine, supervision.positions.length);
      const pass = await trainStack(machine, batch, key, noise);
      const upstream = upstreamBuffer(machine, batch);
      const losses = await headGradient(machine, pass.hidden, supervision, scale, upstream);
      const embedded = await pass.backward(upstream);
      if (embedded !== undefined) addEmbeddingGradient(machine, batch, embedded.data as Float32Array);
      return lossResult(batch, supervision.positions, losses);
    },
    async loss(batch: Batch) {
      const supervision = supervisionOf(batch);
      if (supervision.positions.length === 0) return lossResult(batch, [], new Float32Array(0));
      const hidden = await evaluateStack(machine, batch);
      return lossResult(batch, supervision.positions, await headLoss(machine, hidden, supervision));
    },
    async logits(batch) {
      const hidden = await evaluateStack(machine, batch);
      return headLogits(machine, hidden, Array.from(batch.ids.keys()));
    },
    session: (rows, capacity) => openSession(machine, rows, capacity),
    async release() {
      await machine.compiled.release();
      machine.buffers.clear();
    },
  };
}
