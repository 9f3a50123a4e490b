/** The peak of a training step, from the graphs that will run it. */

import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adapterShapes, firstShapes } from '../../../compute/models/adapters/kinds.js';
import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import { expectedTensors, type NamedShape } from '../../../compute/models/architectures/index.js';
import type { Graphs } from '../../../compute/models/decoder/compiled-bytes.js';
import { fittingChunk } from '../../../compute/models/decoder/head.js';
import type {
  DecoderPlan,
  DecoderPlanOptions,
  Dequantised,
  Precision,
} from '../../../compute/models/decoder/types.js';
import type { TokenizerMemory } from '../../../compute/models/tokenizer/memory.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { outputBytes } from '../../../compute/tensor/runtimes/tensorflow/working-bytes.js';
import { sizeOf } from '../../../compute/tensor/shape.js';
import type { Graph } from '../../../compute/tensor/types.js';
import { packedLength, paddedLength } from '../../../compute/training/batch.js';
import { isOnDevice } from '../../../compute/training/create-updater.js';
import {
  OPTIMIZERS,
  type OptimizerName,
  type Rule,
  residentBytes,
  type Slot,
} from '../../../compute/training/optimizers/index.js';
import { groupSize, parameterGroups, updateGraph } from '../../../compute/training/update-graphs.js';
import { factorsOf, withFactors } from '../../stages/train/adapters/kinds.js';
import { dequantisingLanes, isTiled, quantisingThreads } from '../../stages/train/quantised-base.js';
import type { RankLimits } from '../../stages/train-plan/freedom.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import { deviation, joinedPairs, type Lengths, shortened, supervisedOf } from '../expected-rows.js';
import type { MemoryParts, Peak, PlannedDevice } from '../plan-json.js';
import { type BaseForm, baseForm } from '../stage-models.js';
import { type Answers, answerBatch, cacheBytes } from './answers.js';
import {
  DECODER_PROCESS,
  DEQUANTISING_THREAD,
  DEVICE_CONTEXT,
  GROWN,
  QUANTISING_THREAD,
  SPREAD,
  TRAINED_TENSOR,
} from './calibration.js';
import type { ForwardMemory } from './evaluate.js';
import { compiledGraphs, fullestBatch } from './evaluated-graphs.js';
import { type BufferSizes, mappedPages } from './mapped.js';
import { nodeBytes } from './node-process.js';
import { gpuPeak, inPieces, NO_PARTS, peakOf, sharedPeak, sumOf } from './peaks.js';
import type { PlanDecoder } from './plan-decoder.js';
import { decodedBy, heldSizes, type RuntimeOverhead, runtimeOverhead, weightSizes } from './runtimes.js';
import { blockGraphs, graphsOf, type SessionInput, sessionBytes } from './sessions.js';
import { probabilitiesOfShorter } from './shorter-rows.js';

/** What a row of preferences asks of a training. */
export interface PreferenceCounts {
  /** Texts of a row: 2 of a pair. */
  readonly texts: number;
  /** Whose loss is asked: those of the answers, all, or the last of each text. */
  readonly supervised: 'answers' | 'all' | 'last';
  /** Passes forward over all texts for the reference: 0 without one. */
  readonly references: number;
  /** The prompt of a pair is computed once, and a pair is one row. */
  readonly sharesPrompts?: boolean;
}

export interface TrainMemory {
  readonly config: ModelConfig;
  /** Bytes of the base in each form. */
  readonly weightBytes: Readonly<Record<BaseForm, number>>;
  /** What of the base is decoded for the pass that reads it. */
  readonly decoded: Readonly<Record<BaseForm, Dequantised>>;
  /** Weights of the base that `qlora` quantises when it reads them; left out where other processes do. */
  readonly toQuantise?: number;
  /** Of the stage. */
  readonly threads?: number;
  /** As it is set; a choice has a rank of its own. */
  readonly adapter: AdapterConfig;
  readonly optimizer: OptimizerName;
  readonly lengths: Lengths;
  /** Rows of a step, where they share sequences. */
  readonly packed?: number;
  /** Of preferences; `lengths` are those of their answers. */
  readonly preferences?: PreferenceCounts;
  /** The other model that answers are compared with, as its weights are held. */
  readonly reference?: ((residency: 'stored' | 'paged') => ForwardMemory) | undefined;
  /** Rows to watch training on, as they are computed. */
  readonly validation: Lengths | undefined;
  /** What of it is answered. */
  readonly answers?: Answers & {
    readonly tokenizer: TokenizerMemory;
    /** Steps between two validations. */
    readonly every: number;
  };
  /** Optimiser steps of the whole training, for this many rows. */
  steps(rows: number): number;
  readonly precision?: Precision;
  /** Of the labels. */
  readonly smoothing?: number;
  readonly onDevice: boolean;
  /** Where tensors lie, if not in the machine's memory alone. */
  readonly device?: PlannedDevice;
  /** Whether the process keeps the base where that is a GPU. */
  readonly keptByProcess?: Readonly<Record<BaseForm, boolean>>;
  /** Version of the Node that computes; left out: the one that all was measured with. */
  readonly node?: string | undefined;
  /** Name of the tensor runtime. */
  readonly runtime: string;
  /** Whether that compiles graphs that compute much. */
  readonly compiles?: boolean;
  /** Bytes of the largest tensor that a GPU takes in one piece, where it has a limit. */
  readonly largestTensor?: number;
  readonly planDecoder: PlanDecoder;
  /** Of the accelerate engine, where that computes. */
  readonly ranks?: RankLimits;
}

/** What the decoder is asked to hold under a choice, at the longest batch. */
export function decoderShape(memory: TrainMemory, plan: TrainPlan): DecoderPlanOptions {
  const { config, adapter } = memory;
  const full = plan.method === 'full';
  // a choice that was made for full training has none
  const rank = plan.rank > 0 ? plan.rank : factorsOf(adapter).rank;
  const adapted = adaptedConfig(config, adapter);
  const { sharesPrompts = false } = memory.preferences ?? {};
  const { rows: most } = sharesPrompts ? joinedPairs(memory.lengths) : memory.lengths;
  const rows = Math.min(rowsAtOnce(memory, plan), Math.max(1, Math.round(most)));
  const length = longestPadded(memory, plan);
  return {
    config: adapted,
    adapter: full ? undefined : withFactors(adapter, { rank, alpha: rank }),
    trainable: full ? 'full' : 'adapter',
    weightBytes: memory.weightBytes[baseForm(plan)],
    dequantised: decodedBy(memory.runtime, memory.decoded[baseForm(plan)]),
    ...(baseForm(plan) === 'qlora' && {
      lanes: lanesOf(memory),
      tiled: isTiled(memory.toQuantise ?? 0, memory.runtime),
    }),
    rows,
    length,
    supervised: supervisedTokens(memory, plan, rows * length),
    ...(memory.packed === undefined ? {} : { packed: longestRow(memory, plan) }),
    ...(sharesPrompts && { forked: true }),
    ...(memory.preferences !== undefined && { weighs: true }),
    checkpointedBlocks: plan.checkpointedBlocks,
    recomputedMlps: plan.recomputedMlps,
    recomputedAttention: plan.recomputedAttention,
    logitsChunk: fittingChunk(
      plan.logitsChunk,
      adapted.labels?.length ?? adapted.vocabSize,
      memory.largestTensor,
    ),
    vocabularyShard: full ? undefined : plan.vocabularyShard,
    precision: memory.precision,
    smoothing: memory.smoothing,
  };
}

/** Threads that dequantise, and those that quantised before. */
const lanesOf = ({ toQuantise = 0, runtime, threads = 1 }: TrainMemory): number =>
  dequantisingLanes(toQuantise, runtime, threads);

const quantisersOf = ({ toQuantise = 0, threads = 1 }: TrainMemory, plan: TrainPlan): number =>
  baseForm(plan) === 'qlora' ? quantisingThreads(toQuantise, threads) : 0;

/** Texts of a micro batch. */
const textsAtOnce = ({ preferences }: TrainMemory, { microBatch }: TrainPlan): number =>
  microBatch * (preferences?.texts ?? 1);

/** Rows of it. */
const rowsAtOnce = (memory: TrainMemory, plan: TrainPlan): number =>
  memory.preferences?.sharesPrompts === true ? plan.microBatch : textsAtOnce(memory, plan);

/** The rows that are computed, of those that a plan keeps. */
export function computedRows(
  { lengths, preferences }: Pick<TrainMemory, 'lengths' | 'preferences'>,
  limit: number,
): Lengths {
  const kept = shortened(lengths, limit);
  return preferences?.sharesPrompts === true ? joinedPairs(kept) : kept;
}

/** Bytes of the optimiser's state. */
export const optimizerBytes = (memory: TrainMemory, plan: TrainPlan): number => stateBytes(memory, plan, 0);

/** The part of it that is in memory. */
const residentState = (memory: TrainMemory, plan: TrainPlan): number =>
  stateBytes(memory, plan, plan.offloadedState ?? 0);

/** What is in memory of the state where this share of it is not. */
function stateBytes(memory: TrainMemory, plan: TrainPlan, share: number): number {
  const all = rememberedSlots(memory, plan);
  const known = resident.get(all) ?? new Map<number, number>();
  resident.set(all, known);
  const bytes = known.get(share) ?? residentBytes(all, share);
  known.set(share, bytes);
  return bytes;
}

const resident = new WeakMap<TensorSlots, Map<number, number>>();

type TensorSlots = readonly Readonly<Record<string, Slot>>[];

/** Lists of trained tensors are made once for a model and an adapter. */
const slots = new WeakMap<readonly NamedShape[], Map<OptimizerName, TensorSlots>>();

function rememberedSlots(memory: TrainMemory, plan: TrainPlan): TensorSlots {
  const trained = trainedTensors(memory, plan);
  const known = slots.get(trained) ?? new Map<OptimizerName, TensorSlots>();
  slots.set(trained, known);
  const found =
    known.get(memory.optimizer) ??
    trained.map(({ shape, name }) => OPTIMIZERS[memory.optimizer].slots(shape, name));
  known.set(memory.optimizer, found);
  return found;
}

function trainedTensors(memory: TrainMemory, plan: TrainPlan): readonly NamedShape[] {
  const { config, adapter } = decoderShape(memory, plan);
  return adapter === undefined ? expectedTensors(config) : adapterShapes(config, adapter);
}

/** Buffers of what is trained: values, gradients, and the optimiser's state; and the values that PiSSA began with. */
function trainedBuffers(memory: TrainMemory, plan: TrainPlan): readonly BufferSizes[] {
  const { config, adapter } = decoderShape(memory, plan);
  const slots = rememberedSlots(memory, plan);
  return [
    ...trainedTensors(memory, plan).map(({ shape }, at) => ({
      bytes: 4 * sizeOf(shape),
      count: 2 + Object.keys(slots[at] ?? {}).length,
    })),
    ...(adapter === undefined ? [] : firstShapes(config, adapter)).map(({ shape }) => ({
      bytes: 4 * sizeOf(shape),
      count: 1,
    })),
  ];
}

/** What a device holds of frozen weights and of what is trained; and what buffers take besides their bytes. */
function tensorsBesides(
  memory: TrainMemory,
  plan: TrainPlan,
  { weightBytes, dequantised }: DecoderPlanOptions,
  { savedBuffers }: DecoderPlan,
) {
  const trainsBase = plan.method === 'full';
  const frozen = trainsBase ? [] : weightSizes(memory.config, weightBytes, dequantised.coded);
  const trained = trainedBuffers(memory, plan);
  const buffers = [...frozen.map((bytes) => ({ bytes, count: 1 })), ...trained, ...savedBuffers];
  const tensors = trained.reduce((sum, { count }) => sum + count, 0);
  return {
    held: { frozen: trainsBase ? [] : heldSizes(memory.config, weightBytes, dequantised), trained },
    besides: TRAINED_TENSOR * tensors + mappedPages(memory.runtime, buffers),
  };
}

const whileComputing = ({ driver, copies, heaps, graph }: RuntimeOverhead): number =>
  driver + copies + heaps + graph;

/** What the update of the largest parameter works in. */
const updateScratch = (memory: TrainMemory, plan: TrainPlan): number => {
  const { scratch = () => 0 }: Rule = OPTIMIZERS[memory.optimizer];
  return trainedTensors(memory, plan).reduce((most, { shape }) => Math.max(most, scratch(shape)), 0);
};

/** The graph that updates most at a time, where a device does. */
function updateOnDevice(memory: TrainMemory, plan: TrainPlan): Graph | undefined {
  const rule: Rule = OPTIMIZERS[memory.optimizer];
  const inFile = (plan.offloadedState ?? 0) > 0;
  if (memory.runtime === 'onnx' || !isOnDevice(rule, inFile)) return undefined;
  return largestUpdate(rule, trainedTensors(memory, plan));
}

/** `undefined` if the rule has no graph, or nothing is trained. */
export function largestUpdate({ graph, slots }: Rule, trained: readonly NamedShape[]): Graph | undefined {
  const [largest] = [...parameterGroups(trained)].sort((a, b) => groupSize(b) - groupSize(a));
  return graph && largest && updateGraph(graph, Object.keys(slots([], '')), largest);
}

/** Tokens of the longest row that is kept, and computed. */
export function longestRow(
  { config, ...rows }: Pick<TrainMemory, 'config' | 'lengths' | 'preferences'>,
  { maxLength }: Pick<TrainPlan, 'maxLength'>,
): number {
  const limit = Math.min(maxLength, config.maxPositions);
  const { longest } = computedRows(rows, limit);
  return Math.max(1, rows.preferences?.sharesPrompts === true ? longest : Math.min(longest, limit));
}

export function longestPadded(
  { config, packed, ...rows }: Pick<TrainMemory, 'config' | 'lengths' | 'packed' | 'preferences'>,
  plan: Pick<TrainPlan, 'maxLength'>,
): number {
  const limit = Math.min(plan.maxLength, config.maxPositions);
  const longest = longestRow({ config, ...rows }, plan);
  // positions of a row with two answers go on from its prompt twice
  if (rows.preferences?.sharesPrompts === true) return paddedLength(longest);
  if (packed === undefined) return paddedLength(longest, config.maxPositions);
  return packedLength(Math.min(limit, packed * longest), limit);
}

/** Sequences that the rows of most steps fill: all but the last are nearly full, and steps differ in their tokens. */
export function sequencesOf(
  { config, lengths, packed = 1 }: Pick<TrainMemory, 'config' | 'lengths' | 'packed'>,
  maxLength: number,
): number {
  const limit = Math.min(maxLength, config.maxPositions);
  const kept = shortened(lengths, limit);
  const mean = kept.tokens / Math.max(1, kept.rows);
  const spread = Math.sqrt(packed) * deviation(kept, mean);
  return Math.max(1, Math.min(packed, Math.ceil((packed * mean * PACKING_LOSS + spread) / limit)));
}

/** Supervised tokens of a micro batch, at most about: no more than all, which is also what is said of rows that nobody has counted. */
export function supervisedTokens(memory: TrainMemory, plan: TrainPlan, tokens: number): number {
  const kept = shortened(memory.lengths, plan.maxLength);
  if (kept.rows === 0 || kept.tokens === 0 || kept.answers === undefined) return tokens;
  const texts = textsAtOnce(memory, plan);
  const { supervised: asked = 'answers' } = memory.preferences ?? {};
  if (asked !== 'answers') return asked === 'all' ? tokens : texts;
  // rows fill their sequences, as far as a step has so many
  const { packed } = memory;
  const count = packed === undefined ? texts : Math.min(packed, (tokens * kept.rows) / kept.tokens);
  return Math.min(tokens, supervisedOf(kept, count) ?? tokens);
}

/** Best fit leaves a few percent of its sequences empty if rows are much shorter than they. */
export const PACKING_LOSS = 1.05;

/**
 * While rows are answered: all that a training has, since its buffers and the memory that graphs work in are as long as their
 * largest use from then on, which the passes of an evaluation use as well; and what these take beyond that.
 */
function answeringParts(
  { answers, config, planDecoder }: TrainMemory,
  shape: DecoderPlanOptions,
  { parts: trained, driverBytes }: Pick<DecoderPlan, 'parts' | 'driverBytes'>,
  fullest: number | undefined,
): DecoderPlan['parts'] {
  if (answers === undefined || answers.rows === 0) return trained;
  const { rows, prompt, more } = answerBatch(config, shape.adapter, answers, { fullest });
  const {
    parts,
    driverBytes: asked,
    graphs,
  } = planDecoder({
    ...shape,
    ...{ trainable: 'none', rows, length: prompt, packed: undefined, checkpointedBlocks: 0 },
    ...{ supervised: rows, wanted: 'logits' },
  });
  // into a buffer that nothing of a training is in
  const heads = graphs.filter(({ role }) => role === 'head');
  const buffer = heads.reduce((sum, { graph }) => sum + outputBytes(graph), 0);
  // the hidden states of two layers in turn, which training has of all
  const beyond = Math.max(0, 1 - (shape.rows * shape.length) / (rows * prompt)) * parts.activations;
  const longer =
    parts.logits - buffer + parts.workspace - asked - (trained.logits + trained.workspace - driverBytes);
  return {
    ...trained,
    activations: trained.activations + beyond + more.activations,
    logits: trained.logits + buffer + more.logits,
    workspace: trained.workspace + Math.max(0, longer),
  };
}

/** The batch of its answers at which the process is fullest, and the graphs that are compiled by then. */
function fullestAnswers(
  memory: TrainMemory,
  plan: TrainPlan,
  shape: DecoderPlanOptions,
): { readonly batch?: number; readonly graphs?: Graphs } {
  const { config, answers, planDecoder } = memory;
  if (answers === undefined || answers.rows === 0) return {};
  const { adapter, weightBytes, dequantised } = shape;
  const longest = answers.prompt + answers.maxTokens;
  const asked = { config, adapter, weightBytes, decoded: dequantised, longest, planDecoder };
  const compiled = compiledGraphs(asked, undefined, answers);
  // those of the last batch are there when the first one of the next validation is answered
  if (stepsOf(memory, plan) > answers.every) return { graphs: compiled.at(-1) };
  const batch = fullestBatch(cacheBytes(config, adapter, answers), compiled);
  return { batch, graphs: compiled[1 + batch] };
}

/** Of the tokenizer that answers need. */
function tokenizerKept({ answers }: TrainMemory, parts: DecoderPlan['parts']): number {
  if (answers === undefined) return 0;
  const { made, kept } = answers.tokenizer;
  // it is made before anything is computed
  const idle = parts.activations + parts.logits + parts.workspace;
  return Math.max(kept, made - idle);
}

/** Optimiser steps of the whole training. */
const stepsOf = ({ steps, lengths }: TrainMemory, { maxLength }: TrainPlan): number =>
  steps(shortened(lengths, maxLength).rows);

/** What the heaps of V8 and glibc grow by over the steps, but for those of a head alone, which goes back through no block. */
const grownBy = (memory: TrainMemory, plan: TrainPlan): number =>
  plan.method === 'head' ? 0 : GROWN.bytes * Math.min(1, stepsOf(memory, plan) / GROWN.steps);

/** The graphs that are compiled for batches of other lengths than the longest, and for the losses of validations. */
function trainedGraphs(
  memory: TrainMemory,
  plan: TrainPlan,
  shape: DecoderPlanOptions,
  graphs: DecoderPlan['graphs'],
): SessionInput {
  return {
    lengths: computedRows(memory, plan.maxLength),
    validation: memory.validation,
    plan: { ...plan, microBatch: rowsAtOnce(memory, plan) },
    steps: stepsOf(memory, plan),
    packed: memory.packed === undefined ? undefined : shape.length,
    training: blockGraphs(memory.planDecoder, shape),
    watching: blockGraphs(memory.planDecoder, { ...shape, trainable: 'none', checkpointedBlocks: 0 }),
    head: graphsOf(graphs, 'head'),
  };
}

/** Of the embedded engine. */
export function processPeak(memory: TrainMemory, plan: TrainPlan): Peak {
  const shape = decoderShape(memory, plan);
  const longest = memory.planDecoder(shape);
  const compiled = trainedGraphs(memory, plan, shape, longest.graphs);
  const activations = longest.parts.activations + probabilitiesOfShorter(memory.planDecoder, shape, compiled);
  const planned = { ...longest, parts: { ...longest.parts, activations } };
  const { graphs, driverBytes, floatBytes } = planned;
  const fullest = fullestAnswers(memory, plan, shape);
  const answering = answeringParts(memory, shape, planned, fullest.batch);
  // the best weights are read back from disk in the end, when nothing is answered
  const read = memory.validation === undefined ? 0 : planned.parts.gradients;
  const more = sumOf({ ...NO_PARTS, ...answering }) - sumOf({ ...NO_PARTS, ...planned.parts });
  const [parts, best] = more > read ? [answering, 0] : [planned.parts, read];
  const context = memory.onDevice ? DEVICE_CONTEXT : undefined;
  const update = updateOnDevice(memory, plan);
  const state = residentState(memory, plan);
  const { held, besides } = tensorsBesides(memory, plan, shape, planned);
  const beyond = runtimeOverhead(memory.runtime, {
    ...{ graphs, parts, floatBytes, held, update, state, trainsBase: plan.method === 'full' },
    compiles: memory.compiles,
  });
  const tensors = {
    ...NO_PARTS,
    ...parts,
    workspace: parts.workspace + updateScratch(memory, plan) + whileComputing(beyond),
    // the state, which a checkpoint copies from a device
    optimizer: (update === undefined ? 1 : 2) * state + best,
  };
  const onDevice: MemoryParts = {
    ...NO_PARTS,
    ...parts,
    optimizer: update === undefined ? 0 : state,
    workspace: parts.workspace - driverBytes + beyond.graph,
  };
  const own = DECODER_PROCESS + nodeBytes(memory.node, 'tensors');
  if (memory.device !== undefined && !memory.device.isShared)
    return gpuPeak({
      device: onDevice,
      host: {
        ...NO_PARTS,
        weights: memory.keptByProcess?.[baseForm(plan)] === false ? 0 : parts.weights,
        adapter: parts.adapter,
        gradients: parts.gradients,
        // a checkpoint copies the optimiser's state from the device
        optimizer: state + read,
        workspace: driverBytes + beyond.driver,
        runtime: own + beyond.process,
      },
    });
  const sessions = sessionBytes({ ...compiled, answers: fullest.graphs });
  const ofGraphs = own + beyond.process + sessions + grownBy(memory, plan);
  const ofTensors = besides + tokenizerKept(memory, parts);
  const ofThreads =
    QUANTISING_THREAD * quantisersOf(memory, plan) + DEQUANTISING_THREAD * ((shape.lanes ?? 1) - 1);
  const runtime = context?.expected ?? ofGraphs + ofTensors + ofThreads;
  const bytes = sumOf(tensors) + runtime;
  const process = peakOf(
    { ...tensors, runtime },
    {
      // answers that end together, as those of a base that ends none, compile few graphs
      below: SPREAD.below * bytes + (context?.spread ?? sessions - sessionBytes(compiled)),
      above: SPREAD.above * bytes + (context?.spread ?? 0),
    },
  );
  const peak = memory.device === undefined ? process : sharedPeak(process, onDevice);
  return inPieces(peak, graphs, memory.largestTensor);
}
