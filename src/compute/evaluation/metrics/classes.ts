/** Counts of true and predicted classes, and what is measured of them; equal to scikit-learn's `sklearn.metrics`. */
import type { MeasuredRow } from './types.js';

type Classes = NonNullable<MeasuredRow['classes']>;

/** `table[truth][predicted]` rows. */
export type Confusion = readonly (readonly number[])[];

/** Rows of each true class (row) that were given each class (column): `[classes][classes]`. */
export function confusion(rows: readonly Classes[], classes: number): Confusion {
  const table = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const { truth, predicted } of rows) {
    const row = table[truth];
    if (row !== undefined) row[predicted] = (row[predicted] ?? 0) + 1;
  }
  return table;
}

export interface ClassScores {
  /** Of the rows that are given the class, the share that has it; 0 if none is. */
  readonly precision: number;
  /** Of the rows that have the class, the share that is given it; 0 if none has. */
  readonly recall: number;
  /** Harmonic mean of the two. */
  readonly f1: number;
  /** Rows that have the class. */
  readonly rows: number;
  /** Rows that are given it. */
  readonly predicted: number;
}

/**
 * By class; `draws`: how often each row counts. Takes memory by the classes, of which there may be thousands, not by
 * their pairs.
 */
export function classScores(
  rows: readonly Classes[],
  classes: number,
  draws?: Uint32Array,
): readonly ClassScores[] {
  const [hits, own, given] = [0, 0, 0].map(() => new Float64Array(classes));
  const count = (of: Float64Array | undefined, at: number, times: number): void => {
    if (of !== undefined) of[at] = (of[at] ?? 0) + times;
  };
  for (const [index, { truth, predicted }] of rows.entries()) {
    const times = draws?.[index] ?? 1;
    count(own, truth, times);
    count(given, predicted, times);
    if (truth === predicted) count(hits, truth, times);
  }
  return Array.from({ length: classes }, (_, at) => {
    const [hit, has, predicted] = [hits?.[at] ?? 0, own?.[at] ?? 0, given?.[at] ?? 0];
    return {
      precision: ratio(hit, predicted),
      recall: ratio(hit, has),
      f1: ratio(2 * hit, has + predicted),
      rows: has,
      predicted,
    };
  });
}

/** The mean of F1 over the classes that a row has or is given: every class counts alike, however many rows it has. */
export function macroF1(rows: readonly MeasuredRow[]): (draws?: Uint32Array) => number {
  const known = rows.flatMap(({ classes }) => classes ?? []);
  const classes = 1 + known.reduce((most, { truth, predicted }) => Math.max(most, truth, predicted), 0);
  return (draws) => {
    const found = classScores(known, classes, draws).filter(
      ({ rows: own, predicted }) => own + predicted > 0,
    );
    return ratio(sumOf(found.map(({ f1 }) => f1)), found.length);
  };
}

const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
