/** What the others take beyond ONNX Runtime. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { expectedTensors } from '../../../../src/compute/models/architectures/index.js';
import { planDecoder } from '../../../../src/compute/models/decoder/plan.js';
import type { DecoderPlanOptions } from '../../../../src/compute/models/decoder/types.js';
import { OPTIMIZERS, type Rule } from '../../../../src/compute/training/optimizers/index.js';
import { groupSize, parameterGroups, updateGraph } from '../../../../src/compute/training/update-graphs.js';
import type { RuntimeName } from '../../../../src/language/ir/runtimes.js';
import { DECODER_PROCESS } from '../../../../src/pipeline/planner/memory/calibration.js';
import { type RuntimeOverhead, runtimeOverhead } from '../../../../src/pipeline/planner/memory/runtimes.js';
import { childEnvironment } from '../../../../src/pipeline/run/stage-process.js';
import { fixture } from '../../../compute/models/decoder/fixture.js';
import { whereInstalled } from '../../../compute/tensor/runtimes/here.js';

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

/** The plan's own interval, and what its share is of: the whole process. */
const SPREAD = 0.06;

/** Bytes by which a process grows in a training step. */
function grown(
  one: DecoderPlanOptions,
  runtime: RuntimeName,
  optimizer: readonly string[] = [],
  more: Readonly<Record<string, string>> = {},
): number {
  const script = fileURLToPath(new URL('../../../compute/models/decoder/measure.js', import.meta.url));
  const words = ['--expose-gc', script, JSON.stringify(one), runtime, ...optimizer];
  const env = { ...process.env, ...childEnvironment(1, runtime), ...more };
  return Number(execFileSync(process.execPath, words, { encoding: 'utf8', env }));
}

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

  whereInstalled('tensorflow', () => {
    for (const one of cases)
      it(`of TensorFlow is predicted, for hidden ${one.config.hiddenSize}`, function () {
        // resident memory can be read and reset on Linux only
        if (process.platform !== 'linux') this.skip();
        const measured = grown(one, 'tensorflow');
        const { parts, graphs, floatBytes } = planDecoder(one);
        const beyond = runtimeOverhead('tensorflow', { graphs, parts, floatBytes });
        const predicted =
          parts.gradients +
          parts.activations +
          parts.logits +
          parts.workspace +
          beyond.driver +
          beyond.copies +
          beyond.graph;
        const whole = beyond.process + predicted;
        expect(
          Math.abs(predicted - measured) / whole,
          `${predicted} predicted, ${measured} measured`,
        ).to.be.below(SPREAD);
      });

    it('of TensorFlow is predicted where XLA compiles', function () {
      if (process.platform !== 'linux') this.skip();
      const one = options(576, 1, 4);
      const measured = grown(one, 'tensorflow', [], { FTPC_TENSORFLOW: 'xla' });
      const planned = planDecoder(one);
      const { gradients, activations, logits, workspace } = planned.parts;
      const beyond = runtimeOverhead('tensorflow', { ...planned, compiles: true });
      const predicted =
        gradients + activations + logits + workspace + beyond.driver + beyond.copies + beyond.graph;
      expect(
        Math.abs(predicted - measured) / (DECODER_PROCESS + beyond.process + predicted),
        `${predicted} predicted, ${measured} measured`,
      ).to.be.below(2 * SPREAD);
    });

    it('of TensorFlow is predicted where AdamW trains every weight on it', function () {
      if (process.platform !== 'linux') this.skip();
      const one = { ...options(320, 2, 4), adapter: undefined, trainable: 'full' } as const;
      const measured = grown(one, 'tensorflow', ['adamw']);
      const { parts, graphs, floatBytes } = planDecoder(one);
      const { graph, slots }: Rule = OPTIMIZERS.adamw;
      if (graph === undefined) throw new Error('AdamW has a graph');
      const [most = []] = [...parameterGroups(expectedTensors(one.config))].sort(
        (a, b) => groupSize(b) - groupSize(a),
      );
      const update = updateGraph(graph, Object.keys(slots([], '')), most);
      const beyond = runtimeOverhead('tensorflow', { graphs, parts, floatBytes, update });
      const { weights, gradients, activations, logits, workspace } = parts;
      const remembered = 2 * gradients;
      const predicted =
        weights +
        gradients +
        activations +
        logits +
        workspace +
        remembered +
        beyond.driver +
        beyond.copies +
        beyond.graph;
      expect(
        Math.abs(predicted - measured) / (beyond.process + predicted),
        `${predicted} predicted, ${measured} measured`,
      ).to.be.below(SPREAD);
    });
  });

  whereInstalled('wasm', () => {
    const narrow = options(192, 1, 0);
    const measuredOn: Readonly<Record<string, DecoderPlanOptions>> = {
      'an adapter': narrow,
      'every weight': { ...narrow, adapter: undefined, trainable: 'full' },
    };
    for (const [title, one] of Object.entries(measuredOn))
      it(`of WebAssembly is predicted, for ${title}`, function () {
        if (process.platform !== 'linux') this.skip();
        // what V8 keeps free of its heap differs by several MiB, which is more of a small process
        const measured = grown(one, 'wasm');
        const { parts, graphs, floatBytes } = planDecoder(one);
        const beyond = runtimeOverhead('wasm', { graphs, parts, floatBytes });
        const { gradients, activations, logits, workspace } = parts;
        // frozen weights lie in memory before the measurement begins
        const trained = one.trainable === 'full' ? parts.weights : 0;
        const tensors = trained + gradients + activations + logits + workspace;
        const predicted = tensors + beyond.driver + beyond.copies + beyond.graph;
        expect(
          Math.abs(predicted - measured) / (DECODER_PROCESS + beyond.process + predicted),
          `${predicted} predicted, ${measured} measured`,
        ).to.be.below(1.5 * SPREAD);
      });
  });
});
