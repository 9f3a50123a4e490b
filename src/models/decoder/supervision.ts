/** Which positions of a batch have a loss. */
import type { Batch, LossResult } from './types.js';

const IGNORED = -100;

export interface Supervision {
  /** Positions in `[rows·length]` whose next token is supervised, in order. */
  readonly positions: readonly number[];
  /** The token that each of them predicts. */
  readonly labels: readonly number[];
}

/** The label of position t is the token at t + 1; the last position of a row predicts nothing. */
export function supervisionOf({ rows, length, labels }: Batch): Supervision {
  const found: { positions: number[]; labels: number[] } = { positions: [], labels: [] };
  for (let row = 0; row < rows; row++)
    for (let position = row * length; position < (row + 1) * length - 1; position++) {
      const label = labels[position + 1] ?? IGNORED;
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
