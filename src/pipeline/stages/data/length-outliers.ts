/** Rows that are far longer or shorter than the others. */
import type { GrowingArray } from './growing-array.js';
import type { Row } from './parse-row.js';
import { type RowContent, wholeText } from './row-content.js';
import type { RowTable } from './row-table.js';

export interface OutlierRules {
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

/** Value below which a part of the sorted ones lies, interpolated as numpy does by default. */
export function quantileOf(sorted: ArrayLike<number>, part: number): number {
  const at = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0];
  return low + (high - low) * (at - Math.floor(at));
}

interface Fence {
  readonly low: number;
  readonly high: number;
  /** The rule, and where it draws the line. */
  readonly text: string;
}

/** `sorted`: ascending lengths. */
export function fencesOf(sorted: ArrayLike<number>, rules: OutlierRules): readonly Fence[] {
  const fences: Fence[] = [];
  const iqr = rules.iqr ?? (rules.quantile === undefined ? FAR_OUT : undefined);
  if (iqr !== undefined) {
    const logs = Float64Array.from(sorted, (length) => Math.log(Math.max(1, length)));
    const [first, third] = [quantileOf(logs, 0.25), quantileOf(logs, 0.75)];
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

/** The rows outside, with the length and the rule of each. */
export function outliersOf(
  rows: readonly number[],
  lengths: GrowingArray<Uint32Array<ArrayBuffer>>,
  rules: OutlierRules,
): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const fences = fencesOf(Float64Array.from(rows, (row) => lengths.get(row)).sort(), rules);
  for (const row of rows) {
    const length = lengths.get(row);
    // rounding of a logarithm is no reason
    const fence = fences.find(({ low, high }) => length < low * (1 - 1e-9) || length > high * (1 + 1e-9));
    if (fence !== undefined) found.set(row, `has a length of ${length} (${fence.text})`);
  }
  return found;
}

export function dropOutliers(table: RowTable, outliers: ReadonlyMap<number, string>): void {
  for (const [row, detail] of outliers) table.drop(row, 'outlier', detail);
}
