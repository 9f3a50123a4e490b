/** Rows that are far longer or shorter than the others. */
import type { Row } from './parse-row.js';
import { type RowContent, wholeText } from './row-content.js';
import { keptRows } from './row-order.js';
import type { RowTable } from './row-table.js';
import type { Column } from './scratch.js';

interface OutlierRules {
  /** Interquartile ranges of the log length outside the quartiles (Tukey: Exploratory Data Analysis, 1977). */
  readonly iqr?: number;
  /** Part of the rows that are at most as long. */
  readonly quantile?: number;
}

/** Interquartile ranges where no rule is given: Tukey's far out values. */
const FAR_OUT = 3;

/** Rows of nearly one length have a range near 0, and twice the length is not extreme. */
const LEAST_FENCE = Math.LN2;

/** What is measured of a row: characters, or tokens where it has been tokenized already. */
export const lengthOf = (named: Row, content: RowContent): number =>
  Array.isArray(named['input_ids']) ? named['input_ids'].length : wholeText(content).length;

/** Ascending values. */
interface Sorted {
  readonly length: number;
  at(index: number): number | undefined;
}

/** Value below which a part of the sorted ones lies, interpolated as numpy does by default. */
export function quantileOf(
  sorted: Sorted,
  part: number,
  of: (value: number) => number = (value) => value,
): number {
  const at = (sorted.length - 1) * part;
  const [low, high] = [of(sorted.at(Math.floor(at)) ?? 0), of(sorted.at(Math.ceil(at)) ?? 0)];
  return low + (high - low) * (at - Math.floor(at));
}

interface Fence {
  readonly low: number;
  readonly high: number;
  /** The rule, and where it draws the line. */
  readonly text: string;
}

/** `sorted`: ascending lengths. */
export function fencesOf(sorted: Sorted, rules: OutlierRules): readonly Fence[] {
  const fences: Fence[] = [];
  const iqr = rules.iqr ?? (rules.quantile === undefined ? FAR_OUT : undefined);
  if (iqr !== undefined) {
    const log = (length: number): number => Math.log(Math.max(1, length));
    const [first, third] = [quantileOf(sorted, 0.25, log), quantileOf(sorted, 0.75, log)];
    const reach = Math.max(iqr * (third - first), LEAST_FENCE);
    const [low, high] = [Math.exp(first - reach), Math.exp(third + reach)];
    fences.push({ low, high, text: `iqr ${iqr}: from ${Math.ceil(low)} to ${Math.floor(high)} is usual` });
  }
  if (rules.quantile !== undefined) {
    const high = quantileOf(sorted, rules.quantile);
    const percent = Number((rules.quantile * 100).toFixed(3));
    fences.push({ low: 0, high, text: `quantile ${percent}%: up to ${Math.floor(high)} is usual` });
  }
  return fences;
}

export interface Outliers {
  readonly count: number;
  /** The length and the rule of a row that is outside; `undefined` for another. */
  readonly detailOf: (row: number) => string | undefined;
}

export const NO_OUTLIERS: Outliers = { count: 0, detailOf: () => undefined };

/** The rows outside of those that `isAsked` about. */
export function outliersOf(
  table: RowTable,
  isAsked: (row: number) => boolean,
  lengths: Column,
  rules: OutlierRules,
): Outliers {
  const rows = keptRows(table, isAsked);
  const fences = fencesOf(sortedLengths(rows(), lengths), rules);
  const detailOf = (row: number): string | undefined => {
    if (!isAsked(row)) return undefined;
    const length = lengths.get(row);
    // rounding of a logarithm is no reason
    const fence = fences.find(({ low, high }) => length < low * (1 - 1e-9) || length > high * (1 + 1e-9));
    return fence && `has a length of ${length} (${fence.text})`;
  };
  let count = 0;
  for (const row of rows()) if (detailOf(row) !== undefined) count++;
  return { count, detailOf };
}

/** Rows of each length: a hundred thousand different lengths would be more than four gigabytes of rows. */
function sortedLengths(rows: Iterable<number>, lengths: Column): Sorted {
  const counts = new Map<number, number>();
  for (const row of rows) {
    const length = lengths.get(row);
    counts.set(length, (counts.get(length) ?? 0) + 1);
  }
  const ascending = [...counts].sort(([a], [b]) => a - b);
  return {
    length: ascending.reduce((sum, [, count]) => sum + count, 0),
    at(index) {
      let end = 0;
      return ascending.find(([, count]) => {
        end += count;
        return end > index;
      })?.[0];
    },
  };
}

export function dropOutliers(table: RowTable, { detailOf }: Outliers): void {
  for (const row of table.kept()) {
    const detail = detailOf(row);
    if (detail !== undefined) table.drop(row, 'outlier', detail);
  }
}
