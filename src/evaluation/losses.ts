import type { Batch, Decoder } from '../models/decoder/types.js';
import { NOT_SUPERVISED } from './metrics/unigram.js';

/** A row of token ids and labels, as the format stage hands it on. */
export interface TokenRow {
  readonly ids: Int32Array;
  /** The token at each position, or -100 where it is not supervised. */
  readonly labels: Int32Array;
}

export interface RowLoss {
  /** In nats. */
  readonly sum: number;
  readonly tokens: number;
}

export interface LossOptions {
  /** Tokens of a micro batch, padding included; a single row may be longer. */
  readonly batchTokens: number;
  readonly padId: number;
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** Lengths are rounded up to multiples of this, so that few shapes are compiled. */
const BUCKET = 32;

/**
 * The loss of every row, in the rows' order. Rows are taken longest first, so that a batch pads little and the
 * largest one comes first: what doesn't fit fails at once.
 */
export async function rowLosses(
  decoder: Pick<Decoder, 'loss' | 'options'>,
  rows: readonly TokenRow[],
  options: LossOptions,
): Promise<readonly RowLoss[]> {
  const losses: RowLoss[] = rows.map(() => ({ sum: 0, tokens: 0 }));
  const { maxPositions } = decoder.options.config;
  let done = 0;
  for (const indices of lossBatches(
    rows.map(({ ids }) => ids.length),
    options.batchTokens,
  )) {
    options.signal?.throwIfAborted();
    const members = indices.map((index) => rows[index] as TokenRow);
    const longest = Math.max(...members.map(({ ids }) => ids.length));
    const length = Math.max(longest, Math.min(roundUp(longest), maxPositions));
    const result = await decoder.loss(padded(members, length, options.padId));
    for (const [i, index] of indices.entries()) losses[index] = result.rows[i] as RowLoss;
    done += indices.length;
    options.onProgress?.(done);
  }
  return losses;
}

/** Indices of the rows of each micro batch. */
export function lossBatches(lengths: readonly number[], batchTokens: number): readonly (readonly number[])[] {
  const order = lengths
    .map((_, row) => row)
    .sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const batches: number[][] = [];
  let at = 0;
  while (at < order.length) {
    const length = roundUp(lengths[order[at] as number] as number);
    const rows = Math.max(1, Math.floor(batchTokens / length));
    batches.push(order.slice(at, at + rows));
    at += rows;
  }
  return batches;
}

function roundUp(length: number): number {
  return Math.max(BUCKET, Math.ceil(length / BUCKET) * BUCKET);
}

/** `[rows, length]`, padded at the right. */
function padded(rows: readonly TokenRow[], length: number, padId: number): Batch {
  const ids = new Int32Array(rows.length * length).fill(padId);
  const labels = new Int32Array(rows.length * length).fill(NOT_SUPERVISED);
  for (const [i, row] of rows.entries()) {
    ids.set(row.ids, i * length);
    labels.set(row.labels, i * length);
  }
  return { rows: rows.length, length, ids, labels };
}
