/** A training of a plan, as the driver of the accelerate engine will run it: what its memory follows from. */
import {
  type AdapterTarget,
  type DriverRun,
  readsOf,
  type TensorCounts,
  torchShape,
  uncounted,
} from '../../../compute/accelerate/memory/index.js';
import { cacheBytesPerToken } from '../../../compute/evaluation/generation/generate.js';
import {
  type AdaptedExperts,
  adaptedExperts,
  expertFactors,
} from '../../../compute/models/adapters/branches.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adapterShapes, dropoutOf } from '../../../compute/models/adapters/kinds.js';
import { adaptedOuterOf } from '../../../compute/models/adapters/outer.js';
import { type NamedShape, trainableTensors } from '../../../compute/models/architectures/index.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { RankLimits } from '../../stages/train-plan/freedom.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { isInFourBits } from '../stage-models.js';
import { answerBatch } from './answers.js';
import type { ForwardMemory } from './evaluate.js';
import {
  decoderShape,
  longestPadded,
  longestRow,
  optimizerBytes,
  supervisedTokens,
  type TrainMemory,
} from './train.js';

const productOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Numbers that are trained. */
export const trainedCount = (memory: TrainMemory, plan: TrainPlan): number =>
  trainedTensors(memory, plan).reduce((sum, { shape }) => sum + productOf(shape), 0);

function trainedTensors(memory: TrainMemory, plan: TrainPlan): readonly NamedShape[] {
  const { config, adapter } = decoderShape(memory, plan);
  return adapter === undefined ? trainableTensors(config) : adapterShapes(config, adapter);
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
    isQuantised: isInFourBits(memory.config, plan.method),
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
    optimizer: optimizerOf(memory, ranks, plan),
    evaluation: evaluationOf(memory, plan, logitsChunk),
    ...(memory.reference && { asked: askedRun(memory, memory.reference('stored'), ranks, plan) }),
    ...(ranks.counts?.block === undefined
      ? { uncounted: uncounted(torchShape(config).name, ranks.versions ?? {}) }
      : { counted: ranks.counts.block }),
  };
}

/** Another model than the base as it is asked: all of it is frozen, and texts are apart from each other. */
function askedRun(
  memory: TrainMemory,
  { config, adapter, isQuantised = false }: ForwardMemory,
  { device, world, attention }: RankLimits,
  plan: TrainPlan,
): DriverRun {
  const rows = Math.min(plan.microBatch, Math.max(1, memory.lengths.rows));
  const length = Math.min(
    config.maxPositions,
    device === 'cpu' ? longestRow(memory, plan) : longestPadded(memory, plan),
  );
  const tokens = supervisedTokens(memory, plan, rows * length);
  const shapes = adapter === undefined ? [] : adapterShapes(config, adapter);
  return {
    shape: torchShape(config),
    adapter: {
      parameters: shapes.reduce((sum, { shape }) => sum + productOf(shape), 0),
      ...{ targets: [], dropout: 0 },
    },
    precision: memory.precision ?? 'f32',
    ...{ isQuantised, device, rows, length, isPacked: false, checkpointed: 0, accumulation: 1 },
    attention: attention === 'flash_attention_2' ? 'flash' : (attention ?? 'sdpa'),
    logitsChunk: plan.logitsChunk,
    sharding: { kind: plan.sharding ?? 'none', world, isOffloaded: plan.cpuOffload === true },
    predicted: tokens,
    optimizer: { state: 0, temporary: 0 },
    evaluation: { rows, length, predicted: Math.min(plan.logitsChunk, tokens), perLogit: 8 },
  };
}

/**
 * Rules of the driver's own make the update of one parameter at a time, in about three tensors of its size; torch's SGD adds its
 * decay to a copy of all gradients on a GPU (`foreach`), and of one at a time on a CPU.
 */
function updateOfTable({ optimizer }: TrainMemory, { device }: RankLimits): TensorCounts['update'] {
  if (optimizer === 'adafactor' || optimizer === 'lion') return { all: 0, largest: 12 };
  if (optimizer !== 'sgd') return { all: 0, largest: 0 };
  return device === 'cuda' ? { all: 4, largest: 0 } : { all: 0, largest: 4 };
}

/** By what decides which tensors are trained. */
const updates = new WeakMap<ModelConfig, Map<string, DriverRun['optimizer']>>();

function optimizerOf(memory: TrainMemory, ranks: RankLimits, plan: TrainPlan): DriverRun['optimizer'] {
  const ofModel = updates.get(memory.config) ?? new Map<string, DriverRun['optimizer']>();
  updates.set(memory.config, ofModel);
  const { update = updateOfTable(memory, ranks) } = ranks.counts ?? {};
  const key = JSON.stringify([memory.optimizer, memory.adapter, plan.method === 'full', plan.rank, update]);
  const made = ofModel.get(key) ?? updateOf(memory, plan, update);
  ofModel.set(key, made);
  return made;
}

function updateOf(
  memory: TrainMemory,
  plan: TrainPlan,
  { all, largest }: TensorCounts['update'],
): DriverRun['optimizer'] {
  const sizes = trainedTensors(memory, plan).map(({ shape }) => productOf(shape));
  const numbers = Math.max(
    1,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const most = sizes.reduce((found, size) => Math.max(found, size), 0);
  return {
    state: optimizerBytes(memory, plan) / numbers,
    temporary: all + (largest * most) / numbers,
  };
}

function evaluationOf(
  { validation, answers, config, adapter, precision, preferences }: TrainMemory,
  { microBatch, maxLength }: TrainPlan,
  logitsChunk: number,
): DriverRun['evaluation'] {
  if (validation === undefined || validation.rows === 0) return undefined;
  const length = Math.min(maxLength, validation.longest);
  const rows = Math.min(microBatch * (preferences?.texts ?? 1), validation.rows);
  const losses = { rows, length, predicted: Math.min(logitsChunk, rows * length), perLogit: 8 };
  if (answers === undefined || answers.rows === 0) return losses;
  // its rows come as they are, whatever their lengths
  const batch = answerBatch(config, adapter, { ...answers, prompts: undefined });
  return {
    ...losses,
    answers: {
      rows: batch.rows,
      prompt: answers.prompt,
      tokens: answers.prompt + answers.maxTokens,
      keysAndValues: cacheBytesPerToken(config) / (precision === 'bf16' ? 2 : 1),
    },
  };
}

export const FACTOR = /^(.*)\.lora_A(?:\.default)?\.weight$/;
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
  const layers = layersWithFactors(config, adapter, shapes);
  const most = [...layers.values()].reduce<Factors[]>(
    (found, one) => (one.length > found.length ? one : found),
    [],
  );
  return {
    parameters: shapes.reduce((sum, { shape }) => sum + productOf(shape), 0),
    targets: most,
    dropout: dropoutOf(adapter),
    ofMatrix: isDora(adapter) ? most.reduce((bytes, one) => Math.max(bytes, ofMatrix(one)), 0) : 0,
    reachesEmbedding:
      adapter.kind === 'prompt' ||
      wholeModules(adapter).includes('embed_tokens') ||
      hasEmbeddingFactors(config, adapter),
    prefix: adapter.kind === 'prefix' ? adapter.tokens : 0,
    skippedBlocks: skippedBlocks(config, adapter, [...layers.keys()]),
    ...expertsOf(config, adapter),
  };
}

/** Of the block with the most. */
function expertsOf(config: ModelConfig, adapter: AdapterConfig): Pick<AdapterRun, 'experts'> {
  const adapted = adapter.kind === 'lora' ? adaptedExperts(config, adapter) : [];
  const layers = [...new Set(adapted.map(({ layer }) => layer))];
  const found = layers.map((layer) =>
    expertsMemory(
      adapted.filter((one) => one.layer === layer),
      config.foreign?.chosen ?? 1,
    ),
  );
  const most = found.reduce<(typeof found)[number] | undefined>(
    (largest, one) => (largest === undefined || one.numbers > largest.numbers ? one : largest),
    undefined,
  );
  return most === undefined ? {} : { experts: most };
}

/** What is outer in PEFT's nesting computes last, and goes back first. */
function expertsMemory(
  ofBlock: readonly AdaptedExperts[],
  chosen: number,
): NonNullable<AdapterRun['experts']> {
  const backwards = [...ofBlock].sort((a, b) => a.factors.length - b.factors.length);
  const sizeOf = ({ experts, inputs, outputs }: AdaptedExperts): number => experts * inputs * outputs;
  let [freed, gradients] = [0, 0];
  for (const one of backwards) {
    gradients = Math.max(gradients, sizeOf(one) - freed);
    freed += sizeOf(one);
  }
  return {
    numbers: freed,
    factors: ofBlock
      .flatMap(expertFactors)
      .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
    gradients,
    inputs: chosen * ofBlock.reduce((sum, { inputs }) => sum + inputs, 0),
  };
}

interface Factors extends AdapterTarget {
  readonly outputs: number;
}

function layersWithFactors(
  config: ModelConfig,
  adapter: AdapterConfig,
  shapes: readonly NamedShape[],
): ReadonlyMap<number, Factors[]> {
  const { block } = torchShape(config);
  const layers = new Map<number, Factors[]>();
  const byName = new Map(shapes.map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of shapes) {
    const path = FACTOR.exec(name)?.[1];
    const layer = path === undefined ? undefined : LAYER.exec(path)?.[1];
    const [rank, inputs] = shape;
    if (path === undefined || layer === undefined || rank === undefined || inputs === undefined) continue;
    const outputs = byName.get(name.replace('.lora_A', '.lora_B'))?.[0] ?? 0;
    // the base's output and the factors', each of which the magnitudes scale
    const extraNumbers = isDora(adapter) ? 2 * outputs : 0;
    const found = layers.get(Number(layer)) ?? [];
    const own = isOfExperts(path)
      ? []
      : [{ reads: readsOf(block, path), inputs, rank, extraNumbers, outputs }];
    layers.set(Number(layer), [...found, ...own]);
  }
  return layers;
}

/** Whether factors are next to a module of experts, by its path. */
export const isOfExperts = (path: string): boolean => /\.experts(?:\.base_layer)*$/.test(path);

const isDora = (adapter: AdapterConfig): boolean => adapter.kind === 'lora' && adapter.dora === true;

/** PEFT multiplies the factors by the identity, adds the product to the weights, and measures the sum: float32. */
const ofMatrix = ({ inputs, outputs }: Factors): number => 4 * inputs * (3 * outputs + inputs);

const hasEmbeddingFactors = (config: ModelConfig, adapter: AdapterConfig): boolean =>
  adaptedOuterOf(config, adapter, 'embedding') !== undefined;

const wholeModules = (adapter: AdapterConfig): readonly string[] =>
  'modulesToSave' in adapter ? (adapter.modulesToSave ?? []) : [];

/** Nothing goes back through blocks before the first that has something trained, unless the embedding is. */
function skippedBlocks(config: ModelConfig, adapter: AdapterConfig, adapted: readonly number[]): number {
  const isWhole = wholeModules(adapter).length > 0;
  if (adapter.kind === 'head') return isWhole ? 0 : config.layers;
  if (adapter.kind !== 'lora' || isWhole || adapter.bias === 'all') return 0;
  if (hasEmbeddingFactors(config, adapter)) return 0;
  if (adapted.length === 0) return adaptedOuterOf(config, adapter, 'head') === undefined ? 0 : config.layers;
  return Math.min(...adapted);
}
