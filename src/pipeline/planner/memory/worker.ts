/** What the process takes that evaluates, answers or merges on the accelerate engine (`python/ftpc_driver/worker`). Bytes throughout. */
import { STORED_BYTES, torchShape } from '../../../compute/accelerate/memory/index.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { MemoryParts, Peak } from '../plan-json.js';
import { NO_PARTS } from './peaks.js';
import { CONTEXT, CPU_RANK, CUDA_RANK, figures, processPeak } from './rank-process.js';

/** Where it computes. */
export interface WorkerPlace {
  readonly device: 'cpu' | 'cuda';
  /** GPUs over which a base is spread that is too large for one. */
  readonly devices: number;
  /** Of one GPU; left out on the CPU. */
  readonly availableBytes?: number;
  /** The GPU is one of this machine, and has a memory of its own. */
  readonly hasDevice: boolean;
}

/** The model that it opens. */
export interface WorkerModel {
  readonly config: ModelConfig;
  /** Weights and products in bfloat16: a model that was trained so, on a GPU. */
  readonly isBf16: boolean;
  readonly isQuantised: boolean;
  /** Numbers of the adapter over it, which are float32 whatever the base is. */
  readonly adapterNumbers?: number;
}

/** What is asked: rows whose losses are computed, and of answers the tokens of the longest with its prompt. */
export interface WorkerRows {
  readonly longest: number;
  readonly answers?: { readonly rows: number; readonly tokens: number };
}

/** As `src/compute/accelerate/worker-model.ts` has them: tokens of a batch, rows that are answered together, room for their keys and values. */
const BATCH_TOKENS = { cpu: 512, cuda: 16_384 } as const;
const LOGIT_COPIES = 3;
const MOST_ROWS = { cpu: 32, cuda: 256 } as const;
const CPU_CACHE = 256 * 2 ** 20;
const SHARES = { weights: 0.7, logits: 0.2, cache: 0.4 } as const;

export function workerPeak(model: WorkerModel, place: WorkerPlace, rows: WorkerRows): Peak {
  const parts = tensorsOf(model, place, rows);
  if (place.device === 'cpu') return processPeak(parts, 1, CPU_RANK);
  const device = figures(parts, CONTEXT);
  return place.hasDevice ? { ...processPeak(NO_PARTS, 1, CUDA_RANK), device } : device;
}

/** Weights, and the larger of a batch of losses and a step of answers. */
function tensorsOf(model: WorkerModel, place: WorkerPlace, rows: WorkerRows): MemoryParts {
  const { config, isBf16, isQuantised, adapterNumbers = 0 } = model;
  const shape = torchShape(config);
  const width = isBf16 ? 2 : 4;
  const whole =
    shape.linear * (isQuantised ? STORED_BYTES['nf4-dq'] : width) +
    width * (shape.embedding + shape.head + shape.other);
  const isSpread = place.availableBytes !== undefined && whole > SHARES.weights * place.availableBytes;
  const weights = isSpread ? whole / place.devices : whole;
  const free =
    place.availableBytes === undefined
      ? undefined
      : Math.max(0, place.availableBytes - weights - 4 * adapterNumbers);
  const batch = lossBatch(config, place, rows, free);
  // one block at a time: the stream, and the MLP's inner activations
  const perToken = width * (6 * config.hiddenSize + 3 * config.intermediateSize);
  const losses = { activations: perToken * batch, logits: 4 * LOGIT_COPIES * shape.vocabulary * batch };
  const answers = answerBatch(model, place, rows, free);
  const more = answers.activations + answers.logits > losses.activations + losses.logits ? answers : losses;
  return {
    ...NO_PARTS,
    weights,
    adapter: 4 * adapterNumbers,
    ...more,
    workspace: isQuantised ? width * shape.largest : 0,
  };
}

/** Tokens whose losses are computed at a time: a row at least. */
function lossBatch(
  { vocabSize }: ModelConfig,
  { device }: WorkerPlace,
  { longest }: WorkerRows,
  free: number | undefined,
): number {
  const room =
    free === undefined ? Number.POSITIVE_INFINITY : (SHARES.logits * free) / (4 * LOGIT_COPIES * vocabSize);
  return Math.max(longest, Math.min(BATCH_TOKENS[device], room));
}

/** Keys and values of the rows that are answered together, and what reading their prompts takes. */
function answerBatch(
  { config, isBf16 }: WorkerModel,
  { device }: WorkerPlace,
  { answers, longest }: WorkerRows,
  free: number | undefined,
): Pick<MemoryParts, 'activations' | 'logits'> {
  if (answers === undefined || answers.rows === 0) return { activations: 0, logits: 0 };
  const width = isBf16 ? 2 : 4;
  const perRow = 2 * width * config.layers * config.keyValueHeads * config.headDim * answers.tokens;
  const room = free === undefined ? CPU_CACHE : SHARES.cache * free;
  const rows = Math.max(1, Math.min(answers.rows, MOST_ROWS[device], Math.floor(room / perRow)));
  const prompts = width * rows * longest * (6 * config.hiddenSize + 3 * config.intermediateSize);
  return { activations: rows * perRow + prompts, logits: 4 * rows * config.vocabSize };
}
