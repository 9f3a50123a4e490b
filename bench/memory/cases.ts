/** Training steps whose memory is planned and measured: each kind of adapter and of recomputation, and each runtime. */
import type { BottleneckConfig } from '../../src/compute/models/adapters/config.js';
import { adapterShapes } from '../../src/compute/models/adapters/kinds.js';
import { expectedTensors, type NamedShape } from '../../src/compute/models/architectures/index.js';
import { planDecoder } from '../../src/compute/models/decoder/plan.js';
import type { DecoderPlan, DecoderPlanOptions } from '../../src/compute/models/decoder/types.js';
import type { ModelConfig } from '../../src/compute/models/types.js';
import { sizeOf } from '../../src/compute/tensor/shape.js';
import { OPTIMIZERS } from '../../src/compute/training/optimizers/index.js';
import type { RuntimeName } from '../../src/language/ir/runtimes.js';
import { runtimeOverhead, weightSizes } from '../../src/pipeline/planner/memory/runtimes.js';
import { largestUpdate } from '../../src/pipeline/planner/memory/train.js';

export interface MemoryCase {
  readonly title: string;
  readonly runtime: RuntimeName;
  readonly options: DecoderPlanOptions;
  /** An optimiser's step is taken, too. */
  readonly optimizer?: 'adamw';
  readonly environment?: Readonly<Record<string, string>>;
}

const config: ModelConfig = {
  ...{ architecture: 'llama', vocabSize: 8192, hiddenSize: 384, intermediateSize: 1024, layers: 4, heads: 6 },
  ...{ keyValueHeads: 2, headDim: 64, maxPositions: 1024, ropeTheta: 10000, normEpsilon: 1e-5 },
  ...{ tieEmbeddings: true, bosTokenId: 1, eosTokenIds: [2], padTokenId: 0 },
};
const targets = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
export const lora = { kind: 'lora', rank: 8, alpha: 16, dropout: 0, targets } as const;
const labels = ['a', 'b', 'c'];
export const base: DecoderPlanOptions = {
  ...{ config, adapter: lora, trainable: 'adapter', weightBytes: 0, dequantised: {} },
  ...{ rows: 4, length: 192, checkpointedBlocks: 0, logitsChunk: 512 },
};
export const bottlenecks = (dropout: number): BottleneckConfig => ({
  ...{ kind: 'bottleneck', reduction: 8, places: ['attention', 'mlp'], activation: 'gelu' },
  ...{ reads: 'output', scale: 1, dropout },
});
const full = { ...base, adapter: undefined, trainable: 'full', rows: 2 } as const;

const ON_ONNX: Readonly<Record<string, DecoderPlanOptions>> = {
  'an adapter': base,
  'an adapter, blocks recomputed, weights dequantised, dropout': {
    ...base,
    ...{
      adapter: { ...lora, dropout: 0.1 },
      checkpointedBlocks: 2,
      dequantised: { blocks: true, head: true },
      logitsChunk: 128,
    },
  },
  'an adapter, vocabulary shards': { ...base, vocabularyShard: 2048 },
  'an adapter, blocks recomputed, dequantised vocabulary shards': {
    ...{ ...base, checkpointedBlocks: 4, dequantised: { blocks: true, head: true }, vocabularyShard: 1024 },
  },
  'an adapter, MLPs recomputed, dropout': { ...base, adapter: { ...lora, dropout: 0.1 }, recomputedMlps: 2 },
  'an adapter, attention probabilities recomputed, dropout': {
    ...{ ...base, adapter: { ...lora, dropout: 0.1 }, recomputedAttention: 2 },
  },
  'a prefix': { ...base, rows: 8, adapter: { kind: 'prefix', tokens: 256 }, checkpointedBlocks: 1 },
  'a prefix from a projection': {
    ...base,
    rows: 8,
    adapter: { kind: 'prefix', tokens: 256, projection: 512 },
  },
  'an adapter, pairs whose prompt is computed once': { ...base, rows: 2, forked: true },
  'a prefix, pairs whose prompt is computed once': {
    ...{ ...base, rows: 2, forked: true, adapter: { kind: 'prefix', tokens: 64 } },
  },
  'bottleneck adapters': { ...base, adapter: bottlenecks(0) },
  'bottleneck adapters, blocks recomputed, dropout': {
    ...{ ...base, adapter: bottlenecks(0.1), checkpointedBlocks: 2 },
  },
  'a classification head': { ...base, adapter: { kind: 'head', labels }, rows: 16 },
  'an adapter and a classification head': { ...base, adapter: { ...lora, labels }, checkpointedBlocks: 1 },
  'every weight of a classifier': { ...full, config: { ...config, labels } },
  'every weight': full,
  'every weight, gradients by the losses': { ...full, weighs: true, logitsChunk: 512 },
  'every weight, gradients by the losses, in chunks': { ...full, weighs: true, logitsChunk: 128 },
};

/** Of the shapes with which the runtimes are compared; `hidden` is a multiple of 64. */
const square = (hidden: number, rows: number, checkpointedBlocks: number): DecoderPlanOptions => ({
  ...{ ...base, rows, length: 256, checkpointedBlocks, logitsChunk: 256 },
  config: {
    ...{ ...config, hiddenSize: hidden, intermediateSize: 3 * hidden, vocabSize: 2048, maxPositions: 256 },
    ...{ heads: hidden / 64, keyValueHeads: hidden / 64 },
  },
});
const every = { adapter: undefined, trainable: 'full' } as const;

/** Whatever was measured on this machine. */
const PLAIN = { FTPC_TENSORFLOW: 'plain' };

export const MEMORY_CASES: readonly MemoryCase[] = [
  ...Object.entries(ON_ONNX).map(([title, options]): MemoryCase => ({ title, runtime: 'onnx', options })),
  { title: 'an adapter, narrow', runtime: 'tensorflow', options: square(192, 4, 0), environment: PLAIN },
  {
    ...{ title: 'an adapter, wide, blocks recomputed', runtime: 'tensorflow', options: square(576, 2, 4) },
    environment: PLAIN,
  },
  {
    ...{ title: 'an adapter, wide, compiled by XLA', runtime: 'tensorflow', options: square(576, 1, 4) },
    environment: { FTPC_TENSORFLOW: 'xla' },
  },
  {
    ...{ title: 'every weight, AdamW', runtime: 'tensorflow', options: { ...square(320, 2, 4), ...every } },
    ...{ optimizer: 'adamw', environment: PLAIN },
  },
  { title: 'an adapter, narrow', runtime: 'wasm', options: square(192, 1, 0) },
  { title: 'every weight, narrow', runtime: 'wasm', options: { ...square(192, 1, 0), ...every } },
];

/** Bytes by which the process is planned to grow in a step: what it holds of weights it trains, and all that it computes. */
export function plannedGrowth({ options, runtime, optimizer, environment }: MemoryCase): number {
  const planned: DecoderPlan = planDecoder(options);
  const { weights, adapter, ...computed } = planned.parts;
  const tensors = Object.values(computed).reduce((sum, part) => sum + part, 0);
  const trained = options.trainable === 'full' ? weights : 0;
  if (runtime === 'onnx') return tensors + trained;
  const compiles = environment?.['FTPC_TENSORFLOW'] === 'xla';
  const update =
    optimizer === undefined
      ? undefined
      : largestUpdate(OPTIMIZERS[optimizer], expectedTensors(options.config));
  const held = heldTensors({ options, optimizer });
  const [trainsBase, state] = [options.trainable === 'full', moments(optimizer, planned)];
  const { driver, copies, heaps, graph } = runtimeOverhead(runtime, {
    ...{ ...planned, compiles, update, held, trainsBase, state },
  });
  return tensors + trained + state + driver + copies + heaps + graph;
}

function heldTensors({ options, optimizer }: Pick<MemoryCase, 'options' | 'optimizer'>) {
  const { config, adapter, trainable } = options;
  const weights = expectedTensors(config);
  const trained = adapter === undefined ? weights : adapterShapes(config, adapter);
  const sizes = (shapes: readonly NamedShape[]): number[] => shapes.map(({ shape }) => 4 * sizeOf(shape));
  const count = optimizer === undefined ? 2 : 4;
  return {
    frozen: trainable === 'full' ? [] : weightSizes(config, total(sizes(weights))),
    trained: sizes(trained).map((bytes) => ({ bytes, count })),
  };
}

const total = (sizes: readonly number[]): number => sizes.reduce((sum, bytes) => sum + bytes, 0);

/** Two moments per trained value. */
const moments = (optimizer: string | undefined, { parts }: DecoderPlan): number =>
  optimizer === undefined ? 0 : 2 * parts.gradients;
