/** What would be chosen if memory were no matter: the fastest shape that is still sensible. */
import type { ModelConfig } from '../../models/types.js';
import type { Chosen } from '../../stages/types.js';
import { divisors, withMicro } from './ladder.js';

export interface StartOptions {
  readonly preset: string | undefined;
  readonly config: ModelConfig;
  readonly global: number;
  readonly micro: number | undefined;
  readonly maxLength: number;
  /** Length that the longest rows are padded to. */
  readonly longestPadded: number;
  readonly rank: number;
  readonly alpha: number;
}

/** More rows, or more tokens, at one time make a CPU no faster: its matrix products are at full speed by then. */
const MOST_ROWS = 32;
const MOST_TOKENS = 4096;

/** Logits of one chunk, at most. */
const LOGIT_BYTES = 16 * 2 ** 20;

export function startingChoice(options: StartOptions): Chosen {
  const { preset, global, rank, alpha } = options;
  const method = preset === 'qlora' || preset === 'full' ? preset : 'lora';
  const chosen: Chosen = {
    method,
    microBatch: global,
    accumulation: 1,
    maxLength: options.maxLength,
    rank: method === 'full' ? 0 : rank,
    alpha: method === 'full' ? 0 : alpha,
    checkpointedBlocks: 0,
    headChunk: headChunk(options.config.vocabSize),
  };
  return withMicro(chosen, options.micro ?? sensibleMicro(global, options.longestPadded), global);
}

/** The largest divisor that stays under both bounds; where divisors are far apart, a batch that leaves a remainder. */
export function sensibleMicro(global: number, longestPadded: number): number {
  const most = Math.max(1, Math.min(MOST_ROWS, Math.floor(MOST_TOKENS / longestPadded), global));
  const divisor = divisors(global).find((rows) => rows <= most) ?? 1;
  if (divisor * 2 > most) return divisor;
  return Math.ceil(global / Math.ceil(global / most));
}

/** Tokens whose logits exist at one time: a power of two from 64 to 1024. */
export function headChunk(vocabSize: number): number {
  let chunk = 64;
  while (chunk < 1024 && chunk * 2 * vocabSize * 4 <= LOGIT_BYTES) chunk *= 2;
  return chunk;
}
