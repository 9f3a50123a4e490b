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
