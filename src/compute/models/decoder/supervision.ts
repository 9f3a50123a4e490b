/** Which positions of a batch have a loss. */
import type { ModelConfig } from '../types.js';
import type { Batch, LossResult, TokenLosses } from './types.js';

const IGNORED = -100;

export interface Supervision {
  /** Positions in `[rows·length]` that predict something, in order. */
  readonly positions: readonly number[];
  /** The token or class that each of them predicts. */
  readonly labels: readonly number[];
  /** How much each of them counts; default: 1. */
  readonly weights?: readonly number[];
}

/** How far ahead of a position is what it predicts. */
const aheadOf = ({ labels }: Pick<ModelConfig, 'labels'>): number => (labels === undefined ? 1 : 0);

/**
 * Position t predicts the token at t + 1, and the last position of a row nothing; of a classifier, it predicts the label
 * that is at t.
 */
export function supervisionOf(
  { rows, length, labels, weights }: Batch,
  config: Pick<ModelConfig, 'labels'>,
): Supervision {
  const ahead = aheadOf(config);
  const found: { positions: number[]; labels: number[]; weights?: number[] } = {
    positions: [],
    labels: [],
    ...(weights && { weights: [] }),
  };
  for (let row = 0; row < rows; row++)
    for (let position = row * length; position < (row + 1) * length - ahead; position++) {
      const label = labels[position + ahead] ?? IGNORED;
      if (label === IGNORED) continue;
      found.positions.push(position);
      found.labels.push(label);
      found.weights?.push(weights?.[position + ahead] ?? 1);
    }
  return found;
}

/** `virtual` tokens come before each row's own, whose places count from 0. */
export function tokenLosses(
  { length }: Batch,
  { positions }: Supervision,
  losses: Float32Array,
  config: Pick<ModelConfig, 'labels'>,
  virtual: number,
): TokenLosses {
  const ahead = aheadOf(config) - virtual;
  return {
    losses,
    rows: Int32Array.from(positions, (position) => Math.floor(position / length)),
    places: Int32Array.from(positions, (position) => (position % length) + ahead),
  };
}

/** Sums in float64, row by row. */
export function lossResult(
  { rows, length }: Batch,
  { positions, weights }: Supervision,
  losses: Float32Array = new Float32Array(positions.length),
): LossResult {
  const sums = Array.from({ length: rows }, () => ({ sum: 0, tokens: 0 }));
  positions.forEach((position, index) => {
    const row = sums[Math.floor(position / length)];
    if (row === undefined) return;
    const weight = weights?.[index] ?? 1;
    row.sum += weight * (losses[index] ?? 0);
    row.tokens += weight;
  });
  return {
    sum: sums.reduce((total, row) => total + row.sum, 0),
    tokens: sums.reduce((total, row) => total + row.tokens, 0),
    rows: sums,
  };
}

/** One number that the gradient of every loss is multiplied by, or for each loss its own, which may follow from the losses. */
export type Seeds = number | Float32Array | ((losses: Float32Array) => Float32Array);

/** The seed of each loss. */
export function seedsOf(seeds: Seeds, losses: Float32Array = new Float32Array(0)): (index: number) => number {
  if (typeof seeds === 'number') return () => seeds;
  const values = typeof seeds === 'function' ? seeds(losses) : seeds;
  return (index) => values[index] ?? 0;
}

/** Nothing before a text supervises its first token, as nothing does without virtual tokens. */
export function prompted(batch: Batch, count: number): Batch {
  if (count === 0) return batch;
  if (batch.forks !== undefined) throw new RangeError('virtual tokens come before rows of one text each');
  const { rows, length, ids, labels, weights, lengths } = batch;
  const whole = length + count;
  const out = {
    ids: new Int32Array(rows * whole),
    labels: new Int32Array(rows * whole).fill(IGNORED),
    ...(weights && { weights: new Float32Array(rows * whole) }),
  };
  for (let row = 0; row < rows; row++) {
    const to = row * whole + count;
    out.ids.set(ids.subarray(row * length, (row + 1) * length), to);
    out.labels.set(labels.subarray(row * length + 1, (row + 1) * length), to + 1);
    if (weights !== undefined) out.weights?.set(weights.subarray(row * length, (row + 1) * length), to);
  }
  return { rows, length: whole, lengths: lengths?.map((tokens) => tokens + count), ...out };
}

/** Ids after `count` virtual tokens, whose ids are 0: they have embeddings of their own. */
export function promptedIds(ids: Int32Array, count: number): Int32Array {
  const out = new Int32Array(count + ids.length);
  out.set(ids, count);
  return out;
}
