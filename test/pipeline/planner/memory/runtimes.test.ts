import { expect } from 'chai';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import type { DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import { transientBytes } from '../../../../src/compute/tensor/liveness.js';
import type { Graph } from '../../../../src/compute/tensor/types.js';
import { OPTIMIZERS } from '../../../../src/compute/training/optimizers/index.js';
import {
  decodedBy,
  heldSizes,
  type RuntimeOverhead,
  runtimeOverhead,
  smallBytes,
  weightSizes,
} from '../../../../src/pipeline/planner/memory/runtimes.js';
import { largestUpdate } from '../../../../src/pipeline/planner/memory/train.js';
import { fixture } from '../../../compute/models/decoder/fixture.js';

const { recording, adapter } = fixture('tied');

const updateOf = (shape: readonly number[]): Graph | undefined =>
  largestUpdate(OPTIMIZERS.adamw, [{ name: 'model.embed_tokens.weight', shape }]);

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
  dequantised: {},
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
    expect(smallBytes(weightSizes(recording.config, 2 ** 20 - 1))).to.be.closeTo(2 ** 20 - 1, 1);
    expect(smallBytes(weightSizes(recording.config, 2 ** 50))).to.equal(0);
    expect(smallBytes([2 ** 20, 2 ** 20 - 1, 5])).to.equal(2 ** 20 + 4);
  });

  it('of TensorFlow has weights on its device that its graphs read, and none that the process dequantises', () => {
    const { config } = recording;
    const packed = { blocks: true, head: true, inGraph: 5 };
    expect(decodedBy('tensorflow', packed)).to.deep.equal(packed);
    expect(decodedBy('onnx', packed)).to.deep.equal({ blocks: true, head: true });
    expect(heldSizes(config, 1000, decodedBy('tensorflow', packed))).to.deep.equal(weightSizes(config, 1000));
    expect(heldSizes(config, 1000, {})).to.deep.equal(weightSizes(config, 1000));
    expect(heldSizes(config, 1000, { blocks: true })).to.deep.equal([]);
  });

  it('of TensorFlow that compiles is the code of XLA, and what it works in where there are products', () => {
    const planned = planDecoder(options(64, 1, 0));
    const update = updateOf([2 ** 19]);
    const of = (given: Partial<Parameters<typeof runtimeOverhead>[1]>) =>
      runtimeOverhead('tensorflow', { ...planned, update, ...given });
    const [plain, compiled] = [of({}), of({ compiles: true })];
    // the graphs of these blocks compute too little; the update is compiled
    expect(compiled.driver - plain.driver).to.equal(62 * 2 ** 20);
    expect(compiled.graph).to.equal(plain.graph);
    const large = planDecoder(options(576, 4, 0));
    expect(of({ ...large, compiles: true }).graph).to.be.above(of(large).graph);
    expect(of({ compiles: true, update: undefined }).driver).to.equal(plain.driver);
  });

  it('of TensorFlow that compiles has logits of a loss twice, besides what XLA works in', () => {
    const small = options(64, 1, 0);
    const wide = { ...small, config: { ...small.config, vocabSize: 2 ** 17 }, adapter: undefined };
    const planned = planDecoder({ ...wide, trainable: 'none', supervised: 128 });
    const [head] = planned.graphs.filter(({ role }) => role === 'head');
    const bytes = transientBytes(head?.graph as Graph);
    const of = (compiles: boolean) => runtimeOverhead('tensorflow', { ...planned, compiles }).graph;
    expect(of(false)).to.be.closeTo(bytes / 2, 1000);
    expect(of(true)).to.be.closeTo(bytes + 16 * 2 ** 20, 1000);
  });

  it('of TensorFlow and in WebAssembly has what an update of a large tensor works in', () => {
    const planned = planDecoder(options(192, 1, 0));
    const bytes = 4 * 49152 * 576;
    const of = (runtime: string) => runtimeOverhead(runtime, { ...planned, update: updateOf([49152, 576]) });
    const counted = Math.max(...planned.graphs.map(({ graph }) => transientBytes(graph)));
    // parameter and two moments; measured were 468 and 645 MiB in all
    expect(of('tensorflow').graph + counted).to.be.closeTo(468 * 2 ** 20, 5 * 2 ** 20);
    expect(of('wasm').graph + counted).to.be.closeTo(645 * 2 ** 20, 5 * 2 ** 20);
    expect(of('wasm').graph + counted).to.be.above(3 * bytes);
  });

  it('in WebAssembly has a heap that is longer than what is in it, where something is trained', () => {
    const planned = planDecoder(options(192, 4, 0));
    const heaps = (given: Partial<Parameters<typeof runtimeOverhead>[1]>) =>
      runtimeOverhead('wasm', { ...planned, ...given }).heaps;
    const update = updateOf([2 ** 10]);
    const state = 1e6;
    expect(heaps({ update, state }) - heaps({ update })).to.be.closeTo(0.06 * state, 1);
    // the state is the host's where that updates
    expect(heaps({ state })).to.equal(heaps({}));
    expect(heaps({ parts: { ...planned.parts, gradients: 0 } })).to.equal(0);
  });

  it('in WebAssembly has the weights once more where they are not trained', () => {
    const planned = planDecoder(options(192, 4, 0));
    const of = (trainsBase: boolean) => runtimeOverhead('wasm', { ...planned, trainsBase }).copies;
    expect(of(false) - of(true)).to.equal(planned.floatBytes);
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
