/**
 * What the ranks of the accelerate engine take: an estimate, from what autograd, the optimiser and the loss keep of a step
 * (`docs/gpus.md` has the formulas), and not a count of their allocations. Bytes throughout.
 */
import { adapterShapes } from '../../../compute/models/adapters/kinds.js';
import {
  blueprintOf,
  expectedTensors,
  projectionsOfModel,
} from '../../../compute/models/architectures/index.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { RankLimits } from '../../stages/train-plan/freedom.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import type { MemoryParts, Peak, PeakFigures } from '../plan-json.js';
import { NO_PARTS, peakOf, sumOf } from './peaks.js';
import { decoderShape, optimizerBytes, type TrainMemory } from './train.js';

const MIB = 2 ** 20;

/**
 * A rank that computes on the CPU, without its tensors: Python, PyTorch, Transformers and PEFT. Measured: 0.79 to 0.96 GiB
 * with tiny models, torch 2.15 on Linux x64.
 */
const CPU_RANK = { expected: 900 * MIB, spread: 160 * MIB } as const;
/** One that computes on a GPU: the same with CUDA's libraries; assumed, and not measured. */
const CUDA_RANK = { expected: 2560 * MIB, spread: 1280 * MIB } as const;
/** What CUDA, its libraries and NCCL take of a GPU; assumed, from what is published. */
const CONTEXT = { expected: 900 * MIB, spread: 500 * MIB } as const;
/** The process of the stage, which watches the ranks. */
const WATCHER = 120 * MIB;

/** How far the estimate of tensors may be off, as a share: allocators keep what they have freed, and lose some of it. */
const SPREAD = { below: 0.2, above: 0.25 } as const;

/** Bytes per weight of NF4 with double quantisation, its constants with it. */
const NF4 = 4.127 / 8;

/** Linear layers' weights, and the others: embeddings, head, norms, and experts, which PyTorch keeps in one tensor. */
export interface WeightCounts {
  readonly linear: number;
  readonly other: number;
  /** Of the others, those outside of the blocks. */
  readonly outer: number;
  /** The largest matrix of a linear layer. */
  readonly largest: number;
}

export function weightCounts(config: ModelConfig): WeightCounts {
  const sizes = projectionsOfModel(config).map(({ inputs, outputs }) => inputs * outputs);
  const linear = sizes.reduce((sum, size) => sum + size, 0);
  const tensors = expectedTensors(config);
  const all = tensors.reduce((sum, { shape }) => sum + productOf(shape), 0);
  const blocks = `${blueprintOf(config).blocksAt}.`;
  const outer = tensors.filter(({ name }) => !name.startsWith(blocks));
  return {
    linear,
    other: all - linear,
    outer: outer.reduce((sum, { shape }) => sum + productOf(shape), 0),
    largest: sizes.reduce((most, size) => Math.max(most, size), 0),
  };
}

const productOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Bytes of one activation: under `bf16`, products and what they are computed from are bfloat16. */
const widthOf = ({ precision }: Pick<TrainMemory, 'precision'>): number => (precision === 'bf16' ? 2 : 4);

/** Tensors of one rank at its peak. */
export function rankParts(memory: TrainMemory, ranks: RankLimits, plan: TrainPlan): MemoryParts {
  const { config } = memory;
  const shape = decoderShape(memory, plan);
  const counts = weightCounts(config);
  const width = widthOf(memory);
  const full = plan.method === 'full';
  const stored = full ? 4 : width;
  const shards = plan.sharding === 'fsdp' ? ranks.world : 1;
  const isSharded = shards > 1 || plan.cpuOffload === true;
  const linear = counts.linear * (plan.method === 'qlora' ? NF4 : stored);
  const base = linear + counts.other * stored;
  // a block is gathered while it is computed, and so are the embeddings and the head
  const inBlocks = linear + (counts.other - counts.outer) * stored;
  const gathered = isSharded ? inBlocks / config.layers + counts.outer * stored : 0;
  const trained = 4 * trainedCount(memory, plan);
  const onDevice = plan.cpuOffload === true ? 0 : 1;
  // an adapter lies whole on every rank
  const own = full ? { shards, onDevice } : { shards: 1, onDevice: 1 };
  const tokens = shape.rows * shape.length;
  const chunk = Math.min(shape.logitsChunk, tokens);
  const outputs = shape.config.labels?.length ?? config.vocabSize;
  const perBlock = savedPerToken(memory, plan, width) * tokens;
  const saved = Math.max(0, config.layers - plan.checkpointedBlocks);
  const castWeights = full && width === 2 ? (2 * counts.linear * Math.max(1, saved)) / config.layers : 0;
  return {
    ...NO_PARTS,
    weights: (onDevice * base) / shards + gathered + castWeights,
    adapter: full ? 0 : trained,
    gradients: trained / own.shards,
    optimizer: (own.onDevice * optimizerBytes(memory, plan)) / own.shards,
    activations:
      perBlock * (saved + (plan.checkpointedBlocks > 0 ? 1 : 0)) +
      plan.checkpointedBlocks * width * config.hiddenSize * tokens,
    // logits, their logarithms and their gradients are float32
    logits: 12 * outputs * chunk + 4 * config.hiddenSize * tokens,
    workspace:
      // gradients of a block's inner activations
      (width / 2) * (6 * config.intermediateSize + 4 * config.hiddenSize) * tokens +
      (plan.method === 'qlora' ? width * counts.largest : 0) +
      // gradients travel between ranks as one tensor
      (ranks.world > 1 && !(isSharded && full) ? trained : 0),
  };
}

/** Numbers that are trained. */
export function trainedCount(memory: TrainMemory, plan: TrainPlan): number {
  const { config, adapter } = decoderShape(memory, plan);
  const trained = adapter === undefined ? expectedTensors(config) : adapterShapes(config, adapter);
  return trained.reduce((sum, { shape }) => sum + productOf(shape), 0);
}

/** What autograd saves of a block, per token: norms in float32, fused attention, the gated MLP, and inputs of adapters. */
function savedPerToken(memory: TrainMemory, plan: TrainPlan, width: number): number {
  const { config } = memory;
  const { adapter } = decoderShape(memory, plan);
  const { hiddenSize: hidden, intermediateSize: inner, heads, keyValueHeads, headDim } = config;
  const queries = heads * headDim;
  const keys = keyValueHeads * headDim;
  const attention = width * (2 * queries + 2 * keys) + 4 * heads;
  const inputs = width * (2 * hidden + queries + inner);
  // each target has its own input under dropout, and a mask: bytes on a GPU, numbers on a CPU
  const dropped =
    adapter?.kind === 'lora' && adapter.dropout > 0
      ? (width + (memory.ranks?.device === 'cuda' ? 1 : 4)) * (6 * hidden + queries + inner)
      : 0;
  return 8 * hidden + attention + 3 * width * inner + inputs + dropped;
}

/** The most that one rank takes of its device, or of the machine's memory on a CPU. */
export function rankPeak(memory: TrainMemory, ranks: RankLimits, plan: TrainPlan): Peak {
  const parts = rankParts(memory, ranks, plan);
  const host = hostBytes(memory, plan);
  if (ranks.device === 'cpu') return onHost(parts, ranks.devices, CPU_RANK);
  const device = figures(parts, CONTEXT);
  // a machine of the catalogue is its devices
  if (memory.device === undefined) return device;
  return { ...onHost({ ...NO_PARTS, weights: host / ranks.devices }, ranks.devices, CUDA_RANK), device };
}

/** What one process takes that evaluates or answers, in float32; `rows`: those that are computed at a time, and their tokens. */
export function workerPeak(
  config: ModelConfig,
  place: Pick<RankLimits, 'device'> & { readonly hasDevice: boolean },
  rows: { readonly count: number; readonly length: number; readonly cached: number },
): Peak {
  const { linear, other } = weightCounts(config);
  const tokens = rows.count * rows.length;
  const parts = {
    ...NO_PARTS,
    weights: 4 * (linear + other),
    activations:
      4 * tokens * (6 * config.hiddenSize + 3 * config.intermediateSize) +
      8 * config.layers * config.keyValueHeads * config.headDim * rows.cached,
    logits: 8 * config.vocabSize * Math.min(tokens, WORKER_LOGITS),
  };
  if (place.device === 'cpu') return onHost(parts, 1, CPU_RANK);
  const device = figures(parts, CONTEXT);
  return place.hasDevice ? { ...onHost(NO_PARTS, 1, CUDA_RANK), device } : device;
}

/** Tokens whose logits a worker has at a time. */
const WORKER_LOGITS = 512;

/** What all ranks keep in the memory of the machine where shards are there while they are not needed. */
function hostBytes(memory: TrainMemory, plan: TrainPlan): number {
  if (plan.cpuOffload !== true) return 0;
  const { linear, other } = weightCounts(memory.config);
  const width = plan.method === 'full' ? 4 : widthOf(memory);
  const base = linear * (plan.method === 'qlora' ? NF4 : width) + other * width;
  const trained = 4 * trainedCount(memory, plan) + optimizerBytes(memory, plan);
  return plan.method === 'full' ? base + trained : base;
}

interface RankProcess {
  readonly expected: number;
  readonly spread: number;
}

function figures(parts: MemoryParts, { expected, spread }: RankProcess): PeakFigures {
  const tensors = sumOf(parts);
  return peakOf(
    { ...parts, runtime: expected },
    { below: SPREAD.below * tensors + spread, above: SPREAD.above * tensors + spread },
  );
}

/** Of one of the ranks of this machine, with its share of the process that watches them. */
function onHost(parts: MemoryParts, ranks: number, process: RankProcess): Peak {
  const peak = figures(parts, { ...process, expected: process.expected + WATCHER / ranks });
  return ranks === 1 ? peak : { ...peak, ranks };
}
