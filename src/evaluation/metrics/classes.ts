/** Counts of true and predicted classes, and what is measured of them; equal to scikit-learn's `sklearn.metrics`. */
import type { MeasuredRow } from './types.js';

type Classes = NonNullable<MeasuredRow['classes']>;

/** `table[truth][predicted]` rows. */
export type Confusion = readonly (readonly number[])[];

export function confusion(rows: readonly Classes[], classes: number, draws?: Uint32Array): Confusion {
  const table = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [index, { truth, predicted }] of rows.entries()) {
    const row = table[truth];
    if (row !== undefined) row[predicted] = (row[predicted] ?? 0) + (draws?.[index] ?? 1);
  }
  return table;
}

export interface ClassScores {
  /** Of the rows that are given the class, the share that has it; 0 where none is. */
  readonly precision: number;
  /** Of the rows that have the class, the share that is given it; 0 where none has. */
  readonly recall: number;
  /** Harmonic mean of the two. */
  readonly f1: number;
  /** Rows that have the class. */
  readonly rows: number;
  /** Rows that are given it. */
  readonly predicted: number;
}

export function classScores(table: Confusion): readonly ClassScores[] {
  return table.map((row, own) => {
    const hits = row[own] ?? 0;
    const rows = sumOf(row);
    const predicted = sumOf(table.map((other) => other[own] ?? 0));
    return {
      precision: ratio(hits, predicted),
      recall: ratio(hits, rows),
      f1: ratio(2 * hits, rows + predicted),
      rows,
      predicted,
    };
  });
}

/** The mean of F1 over the classes that a row has or is given: every class counts alike, however many rows it has. */
export function macroF1(rows: readonly MeasuredRow[]): (draws?: Uint32Array) => number {
  const known = rows.flatMap(({ classes }) => classes ?? []);
  const classes = 1 + known.reduce((most, { truth, predicted }) => Math.max(most, truth, predicted), 0);
  return (draws) => {
    const found = classScores(confusion(known, classes, draws)).filter(
      ({ rows: own, predicted }) => own + predicted > 0,
    );
    return ratio(sumOf(found.map(({ f1 }) => f1)), found.length);
  };
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
