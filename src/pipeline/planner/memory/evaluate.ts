/** The peak of an evaluation and of a merge: one model at a time, forward only. */

import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import { lossRows } from '../../../compute/evaluation/losses.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { adaptedConfig } from '../../../compute/models/adapters/whole.js';
import { vocabularyShardSize } from '../../../compute/models/decoder/chunks.js';
import { fittingChunk } from '../../../compute/models/decoder/head.js';
import type { DecoderPlanOptions, Dequantised } from '../../../compute/models/decoder/types.js';
import type { TokenizerMemory } from '../../../compute/models/tokenizer/memory.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { PROBE_TOKENS } from '../../../compute/packaging/merge/proof.js';
import { planMemory } from '../../../compute/tensor/liveness.js';
import { paddedLength } from '../../../compute/training/batch.js';
import type { Lengths } from '../expected-rows.js';
import type { MemoryParts, Peak, PlannedDevice } from '../plan-json.js';
import { type Answers, answerBatch, cacheBytes, layerBytes } from './answers.js';
import { DEVICE_CONTEXT, READER_PROCESS, SPREAD } from './calibration.js';
import { choiceBytes, readsChoices } from './choices.js';
import { codedStepBytes, compiledGraphs, evaluatedBytes, fullestBatch } from './evaluated-graphs.js';
import { mappedPages } from './mapped.js';
import { gpuPeak, inPieces, NO_PARTS, peakOf, sharedPeak, sumOf } from './peaks.js';
import type { PlanDecoder } from './plan-decoder.js';
import { decodedBy, heldSizes, runtimeOverhead, smallBytes, weightSizes } from './runtimes.js';

export interface ForwardMemory {
  readonly config: ModelConfig;
  readonly weightBytes: number;
  readonly decoded: Dequantised;
  /** Projections are in 4 bits, as the adapter was trained over. */
  readonly isQuantised?: boolean;
  readonly adapter?: AdapterConfig;
  /** Tokens of the longest row. */
  readonly longest: number;
  /** Rows are pairs of answers whose prompt is computed once. */
  readonly forked?: boolean;
  readonly tokenizer: TokenizerMemory;
  readonly onDevice: boolean;
  /** Where tensors lie, if not in the machine's memory alone. */
  readonly device?: PlannedDevice;
  /** Whether the process keeps the weights where that is a GPU. */
  readonly keptByProcess?: boolean;
  /** Name of the tensor runtime. */
  readonly runtime: string;
  /** Whether that compiles graphs that compute much. */
  readonly compiles?: boolean;
  /** Bytes of the largest tensor that a GPU takes in one piece, where it has a limit. */
  readonly largestTensor?: number;
  readonly planDecoder: PlanDecoder;
}

/** Rows whose losses are asked. */
interface ScoredRows extends Pick<Lengths, 'histogram' | 'longest' | 'answers'> {
  /** They are choices of questions. */
  readonly isChoices?: boolean;
}

/**
 * Forward passes over the held-out rows, and answers over a cache of keys and values; `scored`: the rows whose losses are
 * asked, where any are.
 */
export function evaluationPeak(
  memory: ForwardMemory,
  answers: Answers | undefined,
  scored?: ScoredRows,
): Peak {
  const { config } = memory;
  const length =
    memory.forked === true
      ? paddedLength(memory.longest)
      : paddedLength(Math.min(memory.longest, config.maxPositions), config.maxPositions);
  const isRead = scored?.isChoices === true && readsChoices(memory, scored);
  const rows = isRead ? 1 : lossRows(EVALUATION_SHAPES.batchTokens, length);
  const compiled = compiledGraphs(memory, scored && { ...scored, isRead }, answers);
  const losses = forwardPeak(memory, {
    ...{ ...EVALUATED, rows, length, forked: memory.forked },
    more: {
      activations: isRead ? choiceBytes(memory, scored) + layerBytes(config, length) : 0,
      workspace: evaluatedBytes(memory, compiled[0], length),
    },
  });
  if (answers === undefined || answers.rows === 0) return losses;
  const first = answerBatch(config, memory.adapter, answers);
  const outgrown =
    scored === undefined
      ? 0
      : outgrownBytes(memory, { rows, length }, { rows: first.rows, length: first.prompt });
  const fullest = fullestBatch(cacheBytes(config, memory.adapter, answers, outgrown), compiled);
  const batch = answerBatch(config, memory.adapter, answers, { fullest, outgrown });
  const graphs = evaluatedBytes(memory, compiled[1 + fullest] ?? compiled[0], batch.prompt);
  const prompts = forwardPeak(memory, {
    // of a prompt, those of its last token
    ...{ ...EVALUATED, rows: batch.rows, length: batch.prompt, supervised: batch.rows },
    more: { ...batch.more, workspace: graphs + codedStepBytes(memory, answers.codes) },
  });
  // nobody asks for losses of what is only answered
  return scored === undefined || prompts.bytes > losses.bytes ? prompts : losses;
}

/** Bytes of what passes of one shape had, of which those of the next need more: hidden states, and the stretch that graphs compute in. */
function outgrownBytes(
  { config, adapter, weightBytes, decoded, runtime, planDecoder }: ForwardMemory,
  ...shapes: readonly [before: BatchShape, after: BatchShape]
): number {
  const [had = [], needed = []] = shapes.map((shape) => {
    const { parts, graphs } = planDecoder({
      ...{ config, adapter, weightBytes, ...shape, supervised: shape.rows, trainable: 'none' },
      ...{
        dequantised: decodedBy(runtime, decoded),
        checkpointedBlocks: 0,
        logitsChunk: EVALUATED.logitsChunk,
      },
    });
    const stretches = runtime === 'onnx' ? graphs.map(({ graph }) => planMemory(graph).bytes) : [];
    return [parts.activations, Math.max(0, ...stretches)];
  });
  return had.reduce((sum, bytes, at) => sum + ((needed[at] ?? 0) > bytes ? bytes : 0), 0);
}

type BatchShape = Pick<ForwardShape, 'rows' | 'length'>;

/** What a merge does besides passes. */
interface Merging {
  /** Tokens of all probes. */
  readonly probed: number;
  readonly writesGguf: boolean;
}

/**
 * Probes through the base, with its adapter if there is one, and then through the merged model, whose logits are compared; in
 * between tensors are merged a few rows at a time.
 */
export function mergePeak(
  before: ForwardMemory,
  merged: ForwardMemory,
  { probed, writesGguf }: Merging,
): Peak {
  const { config, adapter } = before;
  const width = adaptedConfig(config, adapter).labels?.length ?? config.vocabSize;
  const probes = 4 * probed * width;
  const asked = adapter === undefined ? 1 : 2;
  const workspace = MERGED_PIECES + (writesGguf ? metadataBytes(config) : 0);
  const [first, second] = [
    forwardPeak(before, { ...PROBED, more: { logits: asked * probes, workspace } }),
    forwardPeak(merged, {
      ...{ ...PROBED, tokenizer: 'gone' },
      more: { logits: (asked + 1) * probes, workspace: MERGED_PIECES },
    }),
  ];
  return second.bytes > first.bytes ? second : first;
}

/**
 * Rows that were merged and encoded and not yet collected, beyond the passes before: up to 8 MiB wait, in part where passes had what
 * they no longer need. Measured from the end of the passes on: 4.5 MiB over 69 MiB of weights in float32 and 6 over the starter; the passes
 * took 2 MiB less than an evaluation's.
 */
const MERGED_PIECES = 3.5 * 2 ** 20;
/**
 * What begins a GGUF file, its tokens and merges above all, while it is made. Measured beyond the passes before: 2 MiB with the 4,096 tokens
 * of the starter, 31 to 51 with the 49,152 of SmolLM2, by the type that is written; with the 262,144 of Gemma 3 no more than 50, for a
 * reason that was not found.
 */
const METADATA = { token: 850, most: 40 * 2 ** 20 } as const;

const metadataBytes = ({ vocabSize }: ModelConfig): number =>
  Math.min(METADATA.most, METADATA.token * vocabSize);

/** What is computed at a time. */
interface ForwardShape {
  readonly rows: number;
  readonly length: number;
  /** Tokens of them whose logits are asked for; default: all. */
  readonly supervised?: number;
  /** Rows are pairs whose prompt is computed once. */
  readonly forked?: boolean | undefined;
  /** Tokens whose logits exist at a time. */
  readonly logitsChunk: number;
  /** The head's matrix is decoded in shards, where that is large. */
  readonly inShards?: boolean;
  /** Bytes of the process without tensors and tokenizer. */
  readonly process: number;
  /** When the tokenizer is made: before weights are read, or next to them; or that it is let go. */
  readonly tokenizer: 'before weights' | 'next to weights' | 'gone';
  /** How much wider the interval is than that of a training. */
  readonly wider: number;
  /** Besides the passes. */
  readonly more?: { readonly activations?: number; readonly logits?: number; readonly workspace?: number };
}

const EVALUATED = {
  logitsChunk: EVALUATION_SHAPES.logitsChunk,
  inShards: true,
  process: READER_PROCESS,
  tokenizer: 'before weights',
  wider: 2,
} as const;
const PROBED = { ...EVALUATED, tokenizer: 'next to weights', rows: 1, length: PROBE_TOKENS } as const;

/** Passes forward, and nothing else. */
export function forwardPeak(
  memory: ForwardMemory,
  { rows, length, supervised, more = {}, wider, forked, ...shape }: ForwardShape,
): Peak {
  const adapted = adaptedConfig(memory.config, memory.adapter);
  const dequantised = decodedBy(memory.runtime, memory.decoded);
  const options: DecoderPlanOptions = {
    config: memory.config,
    adapter: memory.adapter,
    trainable: 'none',
    weightBytes: memory.weightBytes,
    dequantised,
    rows,
    length,
    forked,
    ...(supervised !== undefined && { supervised }),
    checkpointedBlocks: 0,
    logitsChunk: fittingChunk(
      shape.logitsChunk,
      adapted.labels?.length ?? adapted.vocabSize,
      memory.largestTensor,
    ),
    vocabularyShard:
      shape.inShards === true && memory.runtime === 'onnx' ? vocabularyShardSize(adapted) : undefined,
  };
  const { parts, graphs, driverBytes, floatBytes } = memory.planDecoder(options);
  const weights = weightSizes(memory.config, memory.weightBytes);
  const beyond = runtimeOverhead(memory.runtime, {
    ...{ graphs, parts, floatBytes, compiles: memory.compiles },
    small: { frozen: smallBytes(heldSizes(memory.config, memory.weightBytes, dequantised)), trained: 0 },
  });
  const tensors = {
    ...NO_PARTS,
    ...parts,
    activations: parts.activations + (more.activations ?? 0),
    logits: parts.logits + (more.logits ?? 0),
    workspace:
      parts.workspace + beyond.driver + beyond.copies + beyond.heaps + beyond.graph + (more.workspace ?? 0),
  };
  const tokenizer = shape.tokenizer === 'gone' ? 0 : tokenizerHeld(memory, tensors, shape.tokenizer);
  const pages = mappedPages(
    memory.runtime,
    weights.map((bytes) => ({ bytes, count: 1 })),
  );
  const process = shape.process + beyond.process + tokenizer + pages;
  // logits and what is merged are the process's; caches are not
  const onDevice: MemoryParts = { ...tensors, workspace: tensors.workspace - driverBytes - beyond.driver };
  if (memory.device !== undefined && !memory.device.isShared)
    return gpuPeak({
      device: onDevice,
      host: {
        ...NO_PARTS,
        weights: memory.keptByProcess === false ? 0 : parts.weights,
        logits: tensors.logits,
        workspace: driverBytes + beyond.driver + (more.workspace ?? 0),
        runtime: process,
      },
      wider,
    });
  const context = memory.onDevice ? DEVICE_CONTEXT : undefined;
  const counted = sumOf(tensors) + process;
  const peak = peakOf(
    { ...tensors, runtime: context?.expected ?? process },
    {
      below: wider * SPREAD.below * counted + (context?.spread ?? 0),
      above: wider * SPREAD.above * counted + (context?.spread ?? 0),
    },
  );
  const whole = memory.device === undefined ? peak : sharedPeak(peak, onDevice, wider);
  return inPieces(whole, graphs, memory.largestTensor);
}

/** Bytes of the tokenizer beyond what tensors take later: while it is made, nothing is computed. */
function tokenizerHeld(
  { tokenizer: { made, kept } }: ForwardMemory,
  tensors: MemoryParts,
  madeAt: 'before weights' | 'next to weights',
): number {
  const there = madeAt === 'before weights' ? 0 : tensors.weights + tensors.adapter;
  return Math.max(kept, made - (sumOf(tensors) - there));
}
