/** What would be chosen if memory did not matter: the fastest shape that is still sensible. */
import { QUERY_BLOCK } from '../../../compute/models/architectures/graphs/attention.js';
import type { Dequantised } from '../../../compute/models/decoder/types.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { MOST_MATERIALISED_BYTES } from '../../../compute/models/weights/load.js';
import { paddedLength } from '../../../compute/training/index.js';
import type { Sharding } from '../../../language/ir/engines.js';
import { hasFactors, isMethod } from '../../../language/schemas/methods.js';
import { startingPlan } from '../../stages/train-plan/fields.js';
import type { RankLimits } from '../../stages/train-plan/freedom.js';
import { SMALLEST_LOGITS_CHUNK } from '../../stages/train-plan/freedoms.js';
import { divisors, type TrainPlan } from '../../stages/train-plan/plan.js';
import { BIN, type Lengths } from '../expected-rows.js';
import type { TrainMemory } from '../memory/train.js';
import { baseForm } from '../stage-models.js';

interface StartOptions {
  readonly preset: string | undefined;
  readonly config: ModelConfig;
  /** Rows of a step, or sequences of them. */
  readonly global: number;
  /** Rows share sequences, which are all about as long. */
  readonly packed?: boolean;
  readonly micro: number | undefined;
  readonly maxLength: number;
  /** Length that the longest rows are padded to. */
  readonly longestPadded: number;
  readonly lengths: Lengths;
  /** Texts of a row: 2 of a pair; default: 1. */
  readonly texts?: number;
  readonly ranks?: RankLimits;
  readonly rank: number;
  readonly alpha: number;
}

/** More rows, or more tokens, at a time make a CPU no faster: its matrix products are at full speed by then. */
const MOST_ROWS = 32;
const MOST_TOKENS = 4096;
/** A GPU is at full speed with more. */
const ON_GPU = { rows: 64, tokens: 16_384 } as const;

/** Logits of one chunk, at most: a chunk of few rows packs the whole output matrix for little work. */
const LOGIT_BYTES = 128 * 2 ** 20;
const MOST_LOGITS_CHUNK = 512;

/**
 * The plan to start from: the method of the preset, or LoRA, and the micro batch that computes the fewest padded
 * tokens.
 */
export function fastestPlan(options: StartOptions): TrainPlan {
  const { preset, config, global, maxLength, longestPadded, rank, alpha } = options;
  const method = isMethod(preset) ? preset : 'lora';
  const { ranks, texts = 1 } = options;
  const sensible = sensibleMicro(global, texts, longestPadded, ranks);
  const microBatch =
    options.micro ?? (options.packed ? sensible : leastPadding(global, sensible, options.lengths));
  return startingPlan({
    ...{ method, global, microBatch, maxLength },
    ...(hasFactors(method) ? { rank, alpha } : { rank: 0, alpha: 0 }),
    logitsChunk: logitsChunk(config.vocabSize),
    recomputedAttention:
      method === 'head' || ranks !== undefined
        ? 0
        : attentionToRecompute(config, texts * microBatch, longestPadded),
    sharding: ranks && startingSharding(ranks),
  });
}

/** A replica on each device, where nothing else is asked for. */
const startingSharding = ({ world, sharding }: RankLimits): Sharding | undefined =>
  world === 1 ? undefined : sharding === 'auto' ? 'ddp' : sharding;

const isDecoded = ({ blocks = false, head = false }: Dequantised): boolean => blocks || head;

/**
 * The same plan with a materialised base, where that takes little memory and the process is what decodes: another
 * runtime holds the base packed in its own memory.
 */
export const materialisedIfSmall = (
  { runtime, decoded, weightBytes }: Pick<TrainMemory, 'runtime' | 'decoded' | 'weightBytes'>,
  plan: TrainPlan,
): TrainPlan =>
  runtime === 'onnx' &&
  isDecoded(decoded[baseForm(plan)]) &&
  !plan.pagedWeights &&
  weightBytes.materialised <= MOST_MATERIALISED_BYTES
    ? { ...plan, materialised: true }
    : plan;

/** Attention probabilities are saved for the backward pass up to this many bytes: they grow with the square of a row's length. */
const MOST_PROBABILITIES = 256 * 2 ** 20;

/** Blocks, from the first on, whose attention probabilities are not saved. */
function attentionToRecompute(
  { heads, layers }: Pick<ModelConfig, 'heads' | 'layers'>,
  rows: number,
  length: number,
): number {
  const seen = length > QUERY_BLOCK ? (length + QUERY_BLOCK) / 2 : length;
  const saved = Math.floor(MOST_PROBABILITIES / (4 * rows * heads * length * seen));
  return Math.max(0, layers - saved);
}

/** What starting one more micro batch costs, in tokens. */
const MICRO_BATCH_TOKENS = 128;

/**
 * The number of rows, `most` or a divisor of it, under which a step computes the fewest tokens. Rows of a global batch
 * are sorted by length and cut, and each micro batch is padded to its longest row: the k-th micro batch of m rows
 * then has about the length that a share of k·m ÷ global of the rows exceeds.
 */
function leastPadding(global: number, most: number, lengths: Lengths): number {
  if (global % most !== 0) return most;
  const cost = (micro: number): number => {
    let tokens = 0;
    for (let row = 0; row < global; row += micro)
      tokens += micro * paddedLength(exceededBy(lengths, (row + 0.5) / global)) + MICRO_BATCH_TOKENS;
    return tokens;
  };
  return divisors(most).reduce((best, micro) => (cost(micro) < cost(best) ? micro : best), most);
}

/** The length that this share of the rows exceeds, to within a bin. */
function exceededBy({ histogram, longest, rows }: Lengths, share: number): number {
  let longer = 0;
  for (let bin = histogram.length - 1; bin >= 0; bin--) {
    longer += histogram[bin] ?? 0;
    if (longer > share * rows) return Math.min(longest, (bin + 1) * BIN);
  }
  return Math.min(longest, BIN);
}

/** The largest divisor that stays under both bounds; where divisors are far apart, a batch that leaves a remainder. */
function sensibleMicro(
  global: number,
  texts: number,
  longestPadded: number,
  ranks: RankLimits | undefined,
): number {
  const { rows, tokens } = ranks?.device === 'cuda' ? ON_GPU : { rows: MOST_ROWS, tokens: MOST_TOKENS };
  // no rank is left without a micro batch, as long as there are rows
  const share = Math.max(1, Math.floor(global / (ranks?.world ?? 1)));
  const most = Math.max(
    1,
    Math.min(Math.floor(rows / texts), Math.floor(tokens / texts / longestPadded), share),
  );
  const divisor = divisors(global).find((rows) => rows <= most) ?? 1;
  if (divisor * 2 > most) return divisor;
  return Math.ceil(global / Math.ceil(global / most));
}

/** Tokens whose logits exist at the same time: a power of two. */
export function logitsChunk(vocabSize: number): number {
  let chunk = SMALLEST_LOGITS_CHUNK;
  while (chunk < MOST_LOGITS_CHUNK && chunk * 2 * vocabSize * 4 <= LOGIT_BYTES) chunk *= 2;
  return chunk;
}
