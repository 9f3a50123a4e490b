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
import { type Lengths, supervisedOf } from '../expected-rows.js';
import type { MemoryParts, Peak, PlannedDevice } from '../plan-json.js';
import { type AnswerBatch, type Answers, answerBatch, cacheBytes, layerBytes } from './answers.js';
import { DEVICE_CONTEXT, READER_PROCESS, SPREAD, TOKENIZER_LIBRARY } from './calibration.js';
import { choiceBytes, readsChoices } from './choices.js';
import {
  batchLengths,
  codedStepBytes,
  compiledGraphs,
  evaluatedBytes,
  fullestBatch,
} from './evaluated-graphs.js';
import { mappedPages } from './mapped.js';
import { nodeBytes } from './node-process.js';
import { gpuPeak, inPieces, largestOf, NO_PARTS, peakOf, sharedPeak, sumOf } from './peaks.js';
import type { PlanDecoder } from './plan-decoder.js';
import { decodedBy, heldSizes, runtimeOverhead, weightSizes } from './runtimes.js';

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
  /** Version of the Node that computes; left out: the one that all was measured with. */
  readonly node?: string | undefined;
  /** Name of the tensor runtime. */
  readonly runtime: string;
  /** Whether that compiles graphs that compute much. */
  readonly compiles?: boolean;
  /** Bytes of the largest tensor that a GPU takes in one piece, where it has a limit. */
  readonly largestTensor?: number;
  readonly planDecoder: PlanDecoder;
}

/** Rows whose losses are asked; pairs whose prompt is computed once are a row each. */
interface ScoredRows extends Pick<Lengths, 'rows' | 'supervised' | 'histogram' | 'longest' | 'answers'> {
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
  const most = isRead ? 1 : Math.max(1, Math.round(scored?.rows ?? Number.POSITIVE_INFINITY));
  const rows = Math.min(lossRows(EVALUATION_SHAPES.batchTokens, length), most);
  const compiled = compiledGraphs(memory, scored && { ...scored, isRead }, answers);
  const scoredBatch = { rows, length, supervised: scored && scoredTokens(scored) };
  const losses = forwardPeak(memory, {
    ...{ ...EVALUATED, ...scoredBatch, forked: memory.forked },
    more: {
      activations: isRead ? choiceBytes(memory, scored) + layerBytes(config, length) : 0,
      workspace: evaluatedBytes(memory, compiled[0], length),
    },
  });
  if (answers === undefined || answers.rows === 0) return losses;
  const asked = ({ rows, prompt }: Pick<AnswerBatch, 'rows' | 'prompt'>): BatchShape => ({
    // of a prompt, those of its last token
    ...{ rows, length: prompt, supervised: rows, wanted: 'logits' },
  });
  const first = answerBatch(config, memory.adapter, answers);
  const outgrown = scored === undefined ? 0 : outgrownBytes(memory, scoredBatch, asked(first));
  const fullest = fullestBatch(cacheBytes(config, memory.adapter, answers, outgrown), compiled);
  const batch = answerBatch(config, memory.adapter, answers, { fullest, outgrown });
  const graphs = evaluatedBytes(memory, compiled[1 + fullest] ?? compiled[0], batch.prompt);
  const prompts = forwardPeak(memory, {
    ...{ ...EVALUATED, ...asked(batch) },
    more: { ...batch.more, workspace: graphs + codedStepBytes(memory, answers.codes) },
  });
  // nobody asks for losses of what is only answered
  return scored === undefined ? prompts : largestOf([losses, prompts]);
}

/** Tokens of a batch whose losses are asked, at most about: shorter rows are more. `undefined`: all, of choices, which are joined. */
function scoredTokens(scored: ScoredRows): number | undefined {
  if (scored.isChoices === true) return undefined;
  const rows = batchLengths(scored).map((length) => lossRows(EVALUATION_SHAPES.batchTokens, length));
  return supervisedOf(scored, Math.min(scored.rows, Math.max(1, ...rows)));
}

/** Bytes of what passes of one shape had, of which those of the next need more: hidden states, and the stretch that graphs compute in. */
function outgrownBytes(
  memory: ForwardMemory,
  ...shapes: readonly [before: BatchShape, after: BatchShape]
): number {
  const [had = [], needed = []] = shapes.map((shape) => {
    const { parts, graphs } = memory.planDecoder(passOptions(memory, { ...EVALUATED, ...shape }));
    const stretches = memory.runtime === 'onnx' ? graphs.map(({ graph }) => planMemory(graph).bytes) : [];
    return [parts.activations, Math.max(0, ...stretches)];
  });
  return had.reduce((sum, bytes, at) => sum + ((needed[at] ?? 0) > bytes ? bytes : 0), 0);
}

type BatchShape = Pick<ForwardShape, 'rows' | 'length' | 'supervised' | 'wanted'>;

/** What a merge does besides passes. */
interface Merging {
  /** Tokens of all probes. */
  readonly probed: number;
  /** Whether they are texts. */
  readonly cutsTexts: boolean;
  readonly writesGguf: boolean;
}

/**
 * Probes through the base, with its adapter if there is one, tensors that are merged a few rows at a time, and probes through the merged
 * model, whose logits are compared.
 */
export function mergePeak(
  before: ForwardMemory,
  merged: ForwardMemory,
  { probed, cutsTexts, writesGguf }: Merging,
): Peak {
  const { config, adapter } = before;
  const width = adaptedConfig(config, adapter).labels?.length ?? config.vocabSize;
  const probes = 4 * probed * width;
  const asked = adapter === undefined ? 1 : 2;
  const metadata = writesGguf ? METADATA.token * config.vocabSize : 0;
  const base = asked * probes;
  const passes = { ...PROBED, process: READER_PROCESS - (cutsTexts ? 0 : TOKENIZER_LIBRARY) };
  const written = { ...passes, tokenizer: 'gone' } as const;
  return largestOf([
    forwardPeak(before, { ...passes, more: { logits: base } }),
    forwardPeak(before, { ...written, more: { logits: base, workspace: MERGED_PIECES + metadata } }),
    forwardPeak(merged, {
      ...written,
      more: { logits: base + probes, workspace: MERGED_PIECES + METADATA.stays * metadata },
    }),
  ]);
}

/**
 * Rows that are merged and encoded: 4 MiB of values, the same in another order, and up to 8 MiB of bytes that wait to be collected, in part
 * where passes had what they no longer need. With this figure, merges of four bases into nine dtypes are planned 0.97 to 1.03 times what
 * they took.
 */
const MERGED_PIECES = 3.5 * 2 ** 20;
/**
 * Of what begins a GGUF file, tokens and merges above all: bytes for each token while it is read, copied and encoded, and the share of
 * them that V8's heap does not give back. Measured alone 12 MiB for the 49,152 tokens of SmolLM2 with 48,900 merges and 52 for the 262,144
 * of Gemma 3 with scores, of which 3 to 6 and 7 to 8 stay.
 */
const METADATA = { token: 230, stays: 0.2 } as const;

/** What is computed at a time. */
interface ForwardShape extends PassShape {
  /** Bytes of the process without tensors and tokenizer. */
  readonly process: number;
  /** When the tokenizer is made: before weights are read, or next to them; or that it is let go. */
  readonly tokenizer: 'before weights' | 'next to weights' | 'gone';
  /** How much wider the interval is than that of a training. */
  readonly wider: number;
  /** Besides the passes. */
  readonly more?: { readonly activations?: number; readonly logits?: number; readonly workspace?: number };
}

/** A pass. */
interface PassShape {
  readonly rows: number;
  readonly length: number;
  /** Tokens of them whose logits are asked for; default: all. */
  readonly supervised?: number | undefined;
  /** What is wanted of these; default: their losses. */
  readonly wanted?: 'loss' | 'logits';
  /** Rows are pairs whose prompt is computed once. */
  readonly forked?: boolean | undefined;
  /** Tokens whose logits exist at a time. */
  readonly logitsChunk: number;
  /** The head's matrix is decoded in shards, where that is large. */
  readonly inShards?: boolean;
}

const EVALUATED = {
  logitsChunk: EVALUATION_SHAPES.logitsChunk,
  inShards: true,
  process: READER_PROCESS,
  tokenizer: 'before weights',
  wider: 2,
} as const;
const PROBED = {
  ...EVALUATED,
  tokenizer: 'next to weights',
  rows: 1,
  length: PROBE_TOKENS,
  wanted: 'logits',
} as const;

/** What the decoder is asked to hold. */
function passOptions(
  { config, adapter, weightBytes, decoded, runtime, largestTensor }: ForwardMemory,
  { rows, length, supervised, wanted, forked, logitsChunk, inShards }: PassShape,
): DecoderPlanOptions {
  const adapted = adaptedConfig(config, adapter);
  return {
    ...{ config, adapter, trainable: 'none', weightBytes, rows, length, forked, wanted },
    ...(supervised !== undefined && { supervised }),
    dequantised: decodedBy(runtime, decoded),
    checkpointedBlocks: 0,
    logitsChunk: fittingChunk(logitsChunk, adapted.labels?.length ?? adapted.vocabSize, largestTensor),
    vocabularyShard: inShards === true && runtime === 'onnx' ? vocabularyShardSize(adapted) : undefined,
  };
}

/** Passes forward, and nothing else. */
export function forwardPeak(memory: ForwardMemory, { more = {}, wider, ...shape }: ForwardShape): Peak {
  const options = passOptions(memory, shape);
  const { dequantised } = options;
  const { parts, graphs, driverBytes, floatBytes } = memory.planDecoder(options);
  const weights = weightSizes(memory.config, memory.weightBytes, dequantised.coded);
  const beyond = runtimeOverhead(memory.runtime, {
    ...{ graphs, parts, floatBytes, compiles: memory.compiles },
    held: { frozen: heldSizes(memory.config, memory.weightBytes, dequantised), trained: [] },
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
  const process = shape.process + nodeBytes(memory.node, 'tensors') + beyond.process + tokenizer + pages;
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
