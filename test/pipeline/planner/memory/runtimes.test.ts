import { expect } from 'chai';
import { expectedTensors } from '../../../../src/compute/models/architectures/index.js';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import type { DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import { storedBytes } from '../../../../src/compute/models/weights/formats.js';
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

  it('of TensorFlow has a copy of small weights, and heaps and regions that are longer than what is in them', () => {
    const planned = planDecoder(options(192, 4, 0));
    const held = { frozen: [1e6, 2e6], trained: [] };
    const of = (given: Partial<Parameters<typeof runtimeOverhead>[1]>) =>
      runtimeOverhead('tensorflow', { ...planned, held, ...given });
    const without = of({ held: { frozen: [], trained: [] } });
    // one is shared
    expect(of({}).copies - without.copies).to.equal(1e6);
    expect(of({}).heaps - without.heaps).to.be.closeTo(0.1 * 1e6, 1);
    const trained = (bytes: number) => of({ held: { ...held, trained: [{ bytes, count: 4 }] } }).heaps;
    expect(trained(1e5) - of({}).heaps).to.be.closeTo(0.8 * 4e5, 1);
    expect(trained(1e6) - of({}).heaps).to.be.closeTo(0.1 * 4e6, 1);
    expect(weightSizes(recording.config, 1000).reduce((sum, bytes) => sum + bytes, 0)).to.be.closeTo(1000, 1);
    expect(smallBytes([2 ** 20, 2 ** 20 - 1, 5], 2 ** 20)).to.equal(2 ** 20 + 4);
  });

  it('of TensorFlow has weights on its device that its graphs read, and none that the process dequantises', () => {
    const { config } = recording;
    const packed = { blocks: true, head: true, inGraph: 5 };
    expect(decodedBy('tensorflow', packed)).to.deep.equal(packed);
    expect(decodedBy('onnx', packed)).to.deep.equal({ blocks: true, head: true });
    expect(heldSizes(config, 1000, decodedBy('tensorflow', packed))).to.deep.equal(weightSizes(config, 1000));
    expect(heldSizes(config, 1000, {})).to.deep.equal(weightSizes(config, 1000));
    expect(heldSizes(config, 1000, { blocks: true })).to.deep.equal([]);
    const codes = heldSizes(config, 1e6, { ...packed, coded: true });
    expect(codes.reduce((sum, bytes) => sum + bytes, 0)).to.be.closeTo(1e6, 1);
    const at = expectedTensors(config).findIndex(({ role }) => role === 'projection');
    expect(codes[at]).to.equal(storedBytes(expectedTensors(config)[at]?.shape ?? [], 'NF4'));
  });

  it('of TensorFlow that compiles is the code of XLA, and what it works in where there are products', () => {
    const planned = planDecoder(options(64, 1, 0));
    const update = updateOf([2 ** 19]);
    const of = (given: Partial<Parameters<typeof runtimeOverhead>[1]>) =>
      runtimeOverhead('tensorflow', { ...planned, update, ...given });
    const [plain, compiled] = [of({}), of({ compiles: true })];
    // the graphs of these blocks compute too little; the update is compiled
    expect(compiled.driver - plain.driver).to.equal(55 * 2 ** 20);
    expect(compiled.graph).to.be.at.most(plain.graph);
    const large = planDecoder(options(576, 4, 0));
    expect(of({ ...large, compiles: true }).heaps).to.be.above(of(large).heaps);
    expect(of({ compiles: true, update: undefined }).driver).to.equal(plain.driver);
  });

  it('of TensorFlow that compiles has logits of a loss twice, besides what XLA works in', () => {
    const small = options(64, 1, 0);
    const wide = { ...small, config: { ...small.config, vocabSize: 2 ** 17 }, adapter: undefined };
    const planned = planDecoder({ ...wide, trainable: 'none', supervised: 128 });
    const [head] = planned.graphs.filter(({ role }) => role === 'head');
    const bytes = transientBytes(head?.graph as Graph);
    const of = (compiles: boolean) => runtimeOverhead('tensorflow', { ...planned, compiles });
    expect(of(false).graph).to.be.below(bytes / 100);
    expect(of(true).graph).to.be.closeTo(bytes, bytes / 100);
    // a heap has no room for what XLA works in, as nothing is replaced in it
    expect(of(true).heaps - of(false).heaps).to.be.closeTo(0.1 * bytes + 15.5 * 2 ** 20, 2e5);
  });

  it('of TensorFlow and in WebAssembly has what an update of a large tensor works in', () => {
    const planned = planDecoder(options(192, 1, 0));
    const bytes = 4 * 49152 * 576;
    const of = (runtime: string) => runtimeOverhead(runtime, { ...planned, update: updateOf([49152, 576]) });
    const counted = Math.max(...planned.graphs.map(({ graph }) => transientBytes(graph)));
    // parameter and two moments; measured were 432 and 645 MiB in all
    expect(of('tensorflow').graph + counted).to.be.closeTo(432 * 2 ** 20, 5 * 2 ** 20);
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
