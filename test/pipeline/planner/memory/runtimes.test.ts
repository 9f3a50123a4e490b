import { expect } from 'chai';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import type { DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import { type RuntimeOverhead, runtimeOverhead } from '../../../../src/pipeline/planner/memory/runtimes.js';
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
        graph: 0,
      });
  });

  it('of TensorFlow grows with what is copied and computed', () => {
    const tensors = ({ driver, copies, graph }: RuntimeOverhead) => driver + copies + graph;
    const of = (one: DecoderPlanOptions) => tensors(runtimeOverhead('tensorflow', planDecoder(one)));
    expect(of(options(192, 8, 0))).to.be.above(of(options(192, 4, 0)));
    const none = { graphs: [], parts: { gradients: 0 }, floatBytes: 0 };
    expect(tensors(runtimeOverhead('tensorflow', none))).to.be.below(of(options(192, 1, 0)));
  });
});
