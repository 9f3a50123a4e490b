/** How many threads encode rows next to a format stage. */
import type { Peak } from '../plan-json.js';
import { type FormattedRows, formatPeak } from './rows.js';

/** Rows from which a thread is worth its start, and threads that one stage can read and write for. */
const WORTH = 20_000;
const MOST = 7;
/** All tokenizers of a stage: those of large vocabularies would take more than the rows. */
const TOKENIZERS = 160 * 2 ** 20;

/** As many as there are cores for, less those that the memory has no room for. The rows are the same with any number. */
export function encodersOf(threads: number, size: FormattedRows, fits: (peak: Peak) => boolean): number {
  if (size.rows < WORTH) return 0;
  const held = size.tokenizer.kept;
  let count = Math.max(0, Math.min(threads - 1, MOST, Math.floor(TOKENIZERS / Math.max(1, held)) - 1));
  while (count > 0 && !fits(formatPeak(size, count))) count--;
  return count;
}
