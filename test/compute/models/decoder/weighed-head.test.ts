/** Gradients of a trained head, of losses that are weighed once they are known. */
import { expect } from 'chai';
import { createDecoder } from '../../../../src/compute/models/decoder/index.js';
import type { DecoderOptions, Weighing } from '../../../../src/compute/models/decoder/types.js';
import { flopsOf } from '../../../../src/compute/tensor/cost.js';
import type { Runtime } from '../../../../src/compute/tensor/types.js';
import { openHere } from '../../tensor/runtimes/here.js';
import { fixture, relativeError } from './fixture.js';

const KEY = { seed: 1, step: 1, micro: 0 };

/** Every weight, of a head that is tied, capped, or neither; and under an adapter that trains the head as well. */
const MODELS = ['untied', 'tied', 'gemma2', 'saved-head'] as const;

/** What heads compute, in operations. */
function counting(runtime: Runtime) {
  const heads = { flops: 0 };
  const counted: Runtime = {
    ...runtime,
    memory: runtime.memory,
    async compile(graph) {
      const compiled = await runtime.compile(graph);
      return {
        ...compiled,
        graph: compiled.graph,
        release: () => compiled.release(),
        run(inputs, outputs) {
          if (graph.name.startsWith('head')) heads.flops += flopsOf(graph);
          return compiled.run(inputs, outputs);
        },
      };
    },
  };
  return { counted, heads };
}

describe('a head that is trained', () => {
  const optionsOf = (name: string): Omit<DecoderOptions, 'runtime' | 'logitsChunk'> => {
    const { recording, adapter, weights } = fixture(name);
    const isAdapted = name.startsWith('saved');
    return {
      ...{ config: recording.config, weights, checkpointedBlocks: 0 },
      ...(isAdapted ? { adapter, trainable: 'adapter' } : { trainable: 'full' }),
    };
  };
  const weightAt = (index: number): number => ((index * 7) % 5) / 4 - 0.4;

  async function learned(name: string, logitsChunk: number, scale: Weighing | undefined) {
    const { batch } = fixture(name);
    const { counted, heads } = counting(await openHere('onnx'));
    const decoder = await createDecoder({ ...optionsOf(name), runtime: counted, logitsChunk });
    decoder.zeroGradients();
    let supervised = 0;
    const weights = Float32Array.from(batch.labels, (label, at) =>
      label === -100 || at % batch.length === 0 ? 0 : weightAt(supervised++),
    );
    const { sum } = await (scale === undefined
      ? decoder.accumulate({ ...batch, weights }, 1, KEY)
      : decoder.accumulate(batch, scale, KEY));
    const gradients = [...decoder.gradients].map(([key, data]) => [key, Float32Array.from(data)] as const);
    await decoder.release();
    return { sum, gradients: new Map(gradients), flops: heads.flops };
  }

  for (const name of MODELS)
    for (const [chunks, logitsChunk] of [
      ['one chunk', 128],
      ['several chunks', 16],
    ] as const)
      it(`has the gradients of losses that are weighed beforehand, ${name}, ${chunks}`, async () => {
        let told = new Float32Array(0);
        const beforehand = await learned(name, logitsChunk, undefined);
        const afterwards = await learned(name, logitsChunk, ({ losses }) => {
          told = losses.slice();
          return losses.map((_, index) => weightAt(index));
        });
        const weighed = told.reduce((sum, loss, index) => sum + weightAt(index) * loss, 0);
        expect(weighed).to.be.closeTo(beforehand.sum, 1e-4);
        for (const [key, data] of beforehand.gradients)
          expect(relativeError(afterwards.gradients.get(key) ?? [], data), key).to.be.below(1e-5);
        if (chunks === 'one chunk') expect(afterwards.flops / beforehand.flops).to.be.below(1.15);
        else expect(afterwards.flops / beforehand.flops).to.be.above(1.15);
      });
});
