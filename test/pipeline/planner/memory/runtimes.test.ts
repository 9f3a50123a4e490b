import { expect } from 'chai';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import type { DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import {
  type RuntimeOverhead,
  runtimeOverhead,
  smallBytes,
  smallWeights,
} from '../../../../src/pipeline/planner/memory/runtimes.js';
import { fixture } from '../../../compute/models/decoder/fixture.js';

const { recording, adapter } = fixture('tied');

const options = (hidden: number, rows: number, checkpointedBlocks: number): DecoderPlanOptions => ({
  config: {
    ...recording.config,
    hiddenSize: hidden,
    intermediateSize: 3 * hidden,
    layers: 4,
    heads: hidden / 64,
    keyValueHeads: hidden / 64,
    headDim: 64,
    vocabSize: 2048,
    maxPositions: 256,
  },
  adapter: { ...adapter.config, rank: 8 },
  trainable: 'adapter',
  weightBytes: 0,
  dequantised: false,
  rows,
  length: 256,
  checkpointedBlocks,
  logitsChunk: 256,
});

describe('memory of the runtimes', () => {
  const cases = [options(192, 4, 0), options(576, 2, 4)];

  it('of ONNX Runtime is what the other figures say', () => {
    for (const one of cases)
      expect(runtimeOverhead('onnx', planDecoder(one))).to.deep.equal({
        process: 0,
        driver: 0,
        copies: 0,
        heaps: 0,
        graph: 0,
      });
  });

  it('of TensorFlow grows with what is copied and computed', () => {
    const tensors = ({ driver, copies, graph }: RuntimeOverhead) => driver + copies + graph;
    const of = (one: DecoderPlanOptions) => tensors(runtimeOverhead('tensorflow', planDecoder(one)));
    expect(of(options(192, 8, 0))).to.be.above(of(options(192, 4, 0)));
    const parts = { gradients: 0, activations: 0 };
    const none = { graphs: [], parts, floatBytes: 0 };
    expect(tensors(runtimeOverhead('tensorflow', none))).to.be.below(of(options(192, 1, 0)));
  });

  it('of TensorFlow has a copy of small weights, and heaps that are longer than what small tensors fill', () => {
    const planned = planDecoder(options(192, 4, 0));
    const without = runtimeOverhead('tensorflow', planned);
    const small = { frozen: 3e6, trained: 1e6 };
    const overhead = runtimeOverhead('tensorflow', { ...planned, small });
    expect(overhead.copies - without.copies).to.equal(small.frozen);
    expect(overhead.heaps - without.heaps).to.be.closeTo(0.4 * small.trained, 1);
    // weights of which each has less than 1 MiB are all small; none is where each has more
    expect(smallWeights(recording.config, 2 ** 20 - 1)).to.be.closeTo(2 ** 20 - 1, 1);
    expect(smallWeights(recording.config, 2 ** 50)).to.equal(0);
    expect(smallBytes([2 ** 20, 2 ** 20 - 1, 5])).to.equal(2 ** 20 + 4);
  });

  it('in WebAssembly has what is trained on the host besides, and where that updates its gradients too', () => {
    const planned = planDecoder(options(192, 4, 0));
    const { adapter, gradients } = planned.parts;
    const none = { ...planned, parts: { ...planned.parts, gradients: 0 } };
    const copies = (given: Parameters<typeof runtimeOverhead>[1]) => runtimeOverhead('wasm', given).copies;
    expect(copies(planned) - copies(none)).to.equal(adapter + gradients);
    const [update] = planned.graphs.map(({ graph }) => graph);
    expect(copies({ ...planned, ...(update && { update }) }) - copies(none)).to.equal(adapter);
  });
});
