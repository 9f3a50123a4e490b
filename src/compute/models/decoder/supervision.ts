/** Which positions of a batch have a loss. */
import type { ModelConfig } from '../types.js';
import type { Batch, LossResult } from './types.js';

const IGNORED = -100;

export interface Supervision {
  /** Positions in `[rows·length]` that predict something, in order. */
  readonly positions: readonly number[];
  /** The token or class that each of them predicts. */
  readonly labels: readonly number[];
}

/**
 * Position t predicts the token at t + 1, and the last position of a row nothing; of a classifier, it predicts the label
 * that is at t.
 */
export function supervisionOf(
  { rows, length, labels }: Batch,
  config: Pick<ModelConfig, 'labels'>,
): Supervision {
  const ahead = config.labels === undefined ? 1 : 0;
  const found: { positions: number[]; labels: number[] } = { positions: [], labels: [] };
  for (let row = 0; row < rows; row++)
    for (let position = row * length; position < (row + 1) * length - ahead; position++) {
      const label = labels[position + ahead] ?? IGNORED;
      if (label === IGNORED) continue;
      found.positions.push(position);
      found.labels.push(label);
    }
  return found;
}

/** Sums in float64, row by row. */
export function lossResult(
  { rows, length }: Batch,
  positions: readonly number[],
  losses: Float32Array,
): LossResult {
  const sums = Array.from({ length: rows }, () => ({ sum: 0, tokens: 0 }));
  positions.forEach((position, index) => {
    const row = sums[Math.floor(position / length)];
    if (row === undefined) return;
    row.sum += losses[index] ?? 0;
    row.tokens += 1;
  });
  return {
    sum: sums.reduce((total, row) => total + row.sum, 0),
    tokens: positions.length,
    rows: sums,
  };
}

/** Nothing before a text supervises its first token, as nothing does without virtual tokens. */
export function prompted(batch: Batch, count: number): Batch {
  if (count === 0) return batch;
  const { rows, length, ids, labels, lengths } = batch;
  const whole = length + count;
  const out = { ids: new Int32Array(rows * whole), labels: new Int32Array(rows * whole).fill(IGNORED) };
  for (let row = 0; row < rows; row++) {
    const to = row * whole + count;
    out.ids.set(ids.subarray(row * length, (row + 1) * length), to);
    out.labels.set(labels.subarray(row * length + 1, (row + 1) * length), to + 1);
  }
  return { rows, length: whole, lengths: lengths?.map((tokens) => tokens + count), ...out };
}

export function promptedIds(ids: Int32Array, count: number): Int32Array {
  const out = new Int32Array(count + ids.length);
  out.set(ids, count);
  return out;
}
