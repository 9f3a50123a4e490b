/** The rows that a training reads which ends before it has read all of them. */
import { globalBatches, type RowOrder, stepsPerEpoch } from '../../compute/training/order.js';
import { LengthCounts } from '../stages/format/split-files.js';
import type { Lengths } from './expected-rows.js';

interface Drawing {
  readonly order: RowOrder;
  readonly seed: number;
  readonly globalBatch: number;
  /** Rows with more tokens are left out. */
  readonly maxLength: number;
  /** Optimiser steps of the whole training, for this many rows. */
  steps(rows: number): number;
}

/** Lengths of those rows, and the steps; `undefined` where all rows are read, or their order is not known. */
export function drawnRows(
  lengths: Lengths,
  { maxLength, steps, ...options }: Drawing,
): { readonly lengths: Lengths; readonly steps: number } | undefined {
  const isPart = (rows: number): boolean => steps(rows) < stepsPerEpoch(rows, options.globalBatch);
  if (lengths.inOrder === undefined || !isPart(lengths.rows)) return undefined;
  const kept = lengths.inOrder().filter((tokens) => tokens <= maxLength);
  if (!isPart(kept.length)) return undefined;
  const total = steps(kept.length);
  const lengthOf = (row: number): number => kept[row] ?? 0;
  const batches = globalBatches({ ...options, rows: kept.length, lengthOf });
  const counts = new LengthCounts();
  for (let step = 1; step <= total; step++)
    for (const row of batches.rowsOf(step)) counts.add(lengthOf(row), 0);
  const { rows, tokens, longest, histogram } = counts;
  const supervised = Math.round((lengths.supervised * rows) / Math.max(1, lengths.rows));
  const drawn = {
    rows,
    tokens,
    supervised,
    longest,
    histogram,
    longestAtLeast: undefined,
    inOrder: undefined,
    asked: undefined,
  };
  return { lengths: { ...lengths, ...drawn }, steps: total };
}
