/** A training of a plan, as the driver of the accelerate engine will run it: what its memory follows from. */
import {
  type AdapterTarget,
  type DriverRun,
  readsOf,
  torchShape,
  uncounted,
} from '../../../compute/accelerate/memory/index.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adapterShapes, dropoutOf } from '../../../compute/models/adapters/kinds.js';
import { expectedTensors, type NamedShape } from '../../../compute/models/architectures/index.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { RankLimits } from '../../stages/train-plan/freedom.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { BIN, type Lengths, shortened } from '../expected-rows.js';
import { decoderShape, longestRow, optimizerBytes, type TrainMemory } from './train.js';

const productOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Numbers that are trained. */
export const trainedCount = (memory: TrainMemory, plan: TrainPlan): number =>
  trainedTensors(memory, plan).reduce((sum, { shape }) => sum + productOf(shape), 0);

function trainedTensors(memory: TrainMemory, plan: TrainPlan): readonly NamedShape[] {
  const { config, adapter } = decoderShape(memory, plan);
  return adapter === undefined ? expectedTensors(config) : adapterShapes(config, adapter);
}

export function driverRun(memory: TrainMemory, ranks: RankLimits, plan: TrainPlan): DriverRun {
  const { config, adapter, rows, length: padded, logitsChunk } = decoderShape(memory, plan);
  // a CPU that draws nothing computes no more padding than a batch has
  const isExact = ranks.device === 'cpu' && memory.packed === undefined && dropoutOf(adapter) === 0;
  // the virtual tokens of a prompt are computed like any others
  const virtual = adapter?.kind === 'prompt' ? adapter.tokens : 0;
  const length = virtual + (isExact ? longestRow(memory, plan) : padded);
  const { world } = ranks;
  const predicted = supervisedTokens(memory, plan, rows * length);
  return {
    shape: torchShape(config),
    adapter: adapter && adapterTraining(config, adapter),
    precision: memory.precision ?? 'f32',
    isQuantised: plan.method === 'qlora',
    device: ranks.device,
    attention: ranks.attention === 'flash_attention_2' ? 'flash' : (ranks.attention ?? 'sdpa'),
    isPacked: memory.packed !== undefined,
    checkpointed: plan.checkpointedBlocks,
    logitsChunk,
    sharding: { kind: plan.sharding ?? 'none', world, isOffloaded: plan.cpuOffload === true },
    // those of one rank
    accumulation: Math.ceil(plan.accumulation / world),
    rows,
    length,
    predicted,
    optimizer: optimizerOf(memory, plan),
    evaluation: evaluationOf(memory, plan, logitsChunk),
    uncounted: uncounted(torchShape(config).name, ranks.versions ?? {}),
  };
}

/** Rules of the driver's own make the update of one parameter at a time, in about three tensors of its size. */
const TENSORS_OF_UPDATE: Readonly<Record<string, number>> = { adafactor: 3, lion: 3 };

/** By what decides which tensors are trained. */
const updates = new WeakMap<ModelConfig, Map<string, DriverRun['optimizer']>>();

function optimizerOf(memory: TrainMemory, plan: TrainPlan): DriverRun['optimizer'] {
  const ofModel = updates.get(memory.config) ?? new Map<string, DriverRun['optimizer']>();
  updates.set(memory.config, ofModel);
  const key = JSON.stringify([memory.optimizer, memory.adapter, plan.method === 'full', plan.rank]);
  const made = ofModel.get(key) ?? updateOf(memory, plan);
  ofModel.set(key, made);
  return made;
}

function updateOf(memory: TrainMemory, plan: TrainPlan): DriverRun['optimizer'] {
  const sizes = trainedTensors(memory, plan).map(({ shape }) => productOf(shape));
  const numbers = Math.max(
    1,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  return {
    state: optimizerBytes(memory, plan) / numbers,
    temporary: (4 * (TENSORS_OF_UPDATE[memory.optimizer] ?? 0) * largest) / numbers,
  };
}

/**
 * Supervised tokens of a micro batch, at most about: their mean, and three standard deviations of the sum of its rows' lengths; no
 * fewer than the longest row has, and no more than all.
 */
function supervisedTokens(memory: TrainMemory, plan: TrainPlan, tokens: number): number {
  const kept = shortened(memory.lengths, plan.maxLength);
  if (kept.rows === 0 || kept.tokens === 0) return tokens;
  const share = kept.supervised / kept.tokens;
  // rows of a packed sequence fill it
  if (memory.packed !== undefined) return Math.ceil(share * tokens);
  const { mean, deviation } = spreadOf(kept);
  const batch = plan.microBatch * mean + 3 * Math.sqrt(plan.microBatch) * deviation;
  return Math.min(tokens, Math.ceil(share * Math.max(kept.longest, Math.min(tokens, batch))));
}

function spreadOf({ histogram, rows, tokens }: Lengths): {
  readonly mean: number;
  readonly deviation: number;
} {
  const mean = tokens / rows;
  const squares = histogram.reduce((sum, count, bin) => sum + count * ((bin + 0.5) * BIN - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / rows) };
}

function evaluationOf(
  { validation }: TrainMemory,
  { microBatch, maxLength }: TrainPlan,
  logitsChunk: number,
): DriverRun['evaluation'] {
  if (validation === undefined || validation.rows === 0) return undefined;
  const length = Math.min(maxLength, validation.longest);
  const rows = Math.min(microBatch, validation.rows);
  return { rows, length, predicted: Math.min(logitsChunk, rows * length), perLogit: 8 };
}

const FACTOR = /^(.*)\.lora_A(?:\.default)?\.weight$/;
const LAYER = /\.(\d+)\./;

/** Of many plans of a training only some differ in the adapter: what follows from it is found out once. */
const known = new WeakMap<ModelConfig, Map<string, AdapterRun>>();

type AdapterRun = NonNullable<DriverRun['adapter']>;

function adapterTraining(config: ModelConfig, adapter: AdapterConfig): AdapterRun {
  const ofModel = known.get(config) ?? new Map<string, AdapterRun>();
  known.set(config, ofModel);
  const key = JSON.stringify(adapter);
  const made = ofModel.get(key) ?? adapterRun(config, adapter);
  ofModel.set(key, made);
  return made;
}

/** What of an adapter autograd keeps something for: its low-rank factors by the layers that they are next to. */
function adapterRun(config: ModelConfig, adapter: AdapterConfig): AdapterRun {
  const shapes = adapterShapes(config, adapter);
  const { block } = torchShape(config);
  const layers = new Map<number, AdapterTarget[]>();
  for (const { name, shape } of shapes) {
    const path = FACTOR.exec(name)?.[1];
    const layer = path === undefined ? undefined : LAYER.exec(path)?.[1];
    const [rank, inputs] = shape;
    if (path === undefined || layer === undefined || rank === undefined || inputs === undefined) continue;
    const found = layers.get(Number(layer)) ?? [];
    layers.set(Number(layer), [...found, { reads: readsOf(block, path), inputs, rank }]);
  }
  const most = [...layers.values()].reduce<AdapterTarget[]>(
    (found, one) => (one.length > found.length ? one : found),
    [],
  );
  return {
    parameters: shapes.reduce((sum, { shape }) => sum + productOf(shape), 0),
    targets: most,
    dropout: dropoutOf(adapter),
    skippedBlocks: skippedBlocks(config, adapter, [...layers.keys()]),
  };
}

/** Nothing goes back through blocks before the first that has something trained, unless the embedding is. */
function skippedBlocks({ layers }: ModelConfig, adapter: AdapterConfig, adapted: readonly number[]): number {
  const isWhole = 'modulesToSave' in adapter && (adapter.modulesToSave?.length ?? 0) > 0;
  if (adapter.kind === 'head') return isWhole ? 0 : layers;
  return adapter.kind !== 'lora' || isWhole || adapted.length === 0 ? 0 : Math.min(...adapted);
}
