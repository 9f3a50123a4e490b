import type { Decoder } from '../models/decoder/types.js';
import { tidyHeap } from '../tensor/garbage.js';
import { buildBatch, paddedLength, type TokenRows } from '../training/batch.js';

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

/**
 * The loss of every row, in the rows' order. Rows are taken longest first, so that a batch pads little and the
 * largest one comes first: what doesn't fit fails at once.
 */
export async function rowLosses(
  decoder: Pick<Decoder, 'loss' | 'options'>,
  rows: TokenRows,
  options: LossOptions,
): Promise<readonly RowLoss[]> {
  const losses: RowLoss[] = Array.from({ length: rows.count }, () => ({ sum: 0, tokens: 0 }));
  const { maxPositions } = decoder.options.config;
  let done = 0;
  for (const batch of lossBatches(rows, options.batchTokens)) {
    options.signal?.throwIfAborted();
    const result = await decoder.loss(buildBatch(rows, batch, options.padId, maxPositions));
    batch.forEach((row, i) => {
      losses[row] = result.rows[i] as RowLoss;
    });
    tidyHeap();
    done += batch.length;
    options.onProgress?.(done);
  }
  return losses;
}

/** Rows of a micro batch that is padded to this length. */
export const lossRows = (batchTokens: number, length: number): number =>
  Math.max(1, Math.floor(batchTokens / length));

/** The rows of each micro batch. */
export function lossBatches(
  rows: Pick<TokenRows, 'count' | 'lengthOf'>,
  batchTokens: number,
): readonly Uint32Array[] {
  const order = Uint32Array.from({ length: rows.count }, (_, row) => row).sort(
    (a, b) => rows.lengthOf(b) - rows.lengthOf(a) || a - b,
  );
  const batches: Uint32Array[] = [];
  let at = 0;
  while (at < order.length) {
    const size = lossRows(batchTokens, paddedLength(rows.lengthOf(order[at] as number)));
    batches.push(order.subarray(at, at + size));
    at += size;
  }
  return batches;
}
