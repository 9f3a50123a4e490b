import type { Batch } from '../models/decoder/types.js';
import { IGNORED, type TokenRows } from './rows.js';

/** Lengths of batches are rounded up to multiples of this, so that few shapes are compiled. */
export const LENGTH_BUCKET = 32;

/** Length that rows of at most `tokens` are padded to; `limit` is the longest that the model takes. */
export function paddedLength(tokens: number, limit: number = Number.POSITIVE_INFINITY): number {
  return Math.max(tokens, Math.min(limit, Math.ceil(tokens / LENGTH_BUCKET) * LENGTH_BUCKET));
}

/**
 * Cuts rows into micro batches of like length, the longest first, so that too little memory shows at once. The sum of
 * their gradients is the same for any cut.
 */
export function microBatches(
  rows: Uint32Array,
  size: number,
  lengthOf: (row: number) => number,
): readonly Uint32Array[] {
  const places = Array.from(rows, (row, place) => ({ row, place, length: lengthOf(row) }));
  places.sort((a, b) => b.length - a.length || a.place - b.place);
  const sorted = Uint32Array.from(places, ({ row }) => row);
  const cuts: Uint32Array[] = [];
  for (let start = 0; start < sorted.length; start += size) cuts.push(sorted.subarray(start, start + size));
  return cuts;
}

/** Right-pads rows to one length; padding is never supervised. */
export function buildBatch(source: TokenRows, rows: Uint32Array, padId: number, limit?: number): Batch {
  const longest = rows.reduce((length, row) => Math.max(length, source.lengthOf(row)), 1);
  const length = paddedLength(longest, limit);
  const ids = new Int32Array(rows.length * length).fill(padId);
  const labels = new Int32Array(rows.length * length).fill(IGNORED);
  rows.forEach((row, index) => {
    const tokens = source.read(row);
    ids.set(tokens.ids, index * length);
    labels.set(tokens.labels, index * length);
  });
  return { rows: rows.length, length, ids, labels };
}

/** Supervised tokens that are predicted: a label at position 0 has nothing before it. */
export function supervisedTokens({ rows, length, labels }: Batch): number {
  let count = 0;
  for (let row = 0; row < rows; row++) {
    for (let t = 1; t < length; t++) if (labels[row * length + t] !== IGNORED) count++;
  }
  return count;
}
