/** Keeps any value of a column from having more than its share of the training rows. */
import { cannotBalance } from '../../../language/diagnostics/catalogue/files.js';
import { counted } from '../../../language/diagnostics/make.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Span } from '../../../language/source/span.js';
import { lowest, type Order, type Rows } from './row-order.js';
import type { RowTable } from './row-table.js';
import type { ColumnValues } from './row-values.js';

export interface Balance {
  readonly values: ColumnValues;
  readonly atMost: number;
}

/**
 * The most rows that each value may have, so that none has more than `atMost` of what is left: the largest c with
 * c ≤ atMost · Σ min(nᵢ, c). The difference of both sides is concave in c and 0 at 0, so that a bisection finds it.
 */
export function largestCap(counts: readonly number[], atMost: number): number {
  const fits = (cap: number): boolean => cap <= atMost * capped(counts, cap) + 1e-9;
  let low = 0;
  let high = Math.max(0, ...counts);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

const capped = (counts: readonly number[], cap: number): number =>
  counts.reduce((sum, count) => sum + Math.min(count, cap), 0);

/** Drops the surplus of the training rows, those that are last in their order. */
export function balanceRows(
  table: RowTable,
  rows: Rows,
  { values, atMost }: Balance,
  order: Order,
  at: Span,
): void {
  const counts = values.count(rows());
  const cap = largestCap(counts, atMost);
  if (cap === 0 && counts.some((count) => count > 0))
    throw new UserError(cannotBalance(at, values.column, presentIn(counts), atMost));
  const stays = lowestOfEach(rows, values, cap, order);
  for (const row of rows())
    if (!stays(row)) {
      const of = counts[values.numbers.get(row)] ?? 0;
      const detail = `${counted(of, 'training row')} have ${JSON.stringify(values.nameOf(row).slice(0, 60))} in \`${values.column}\`; ${cap} stay`;
      table.drop(row, 'unbalanced', detail);
    }
}

/** At most `cap` rows of any value. */
const lowestOfEach = (rows: Rows, { numbers, names }: ColumnValues, cap: number, order: Order) =>
  lowest({ rows, order, quotas: names.map(() => cap), groupOf: (row) => numbers.get(row) });

/** As many of the rows as `count`, with at most `cap` of any value: the lowest in their order. */
export function takeLowest(
  rows: Rows,
  values: ColumnValues,
  cap: number,
  count: number,
  order: Order,
): (row: number) => boolean {
  const ofEach = lowestOfEach(rows, values, cap, order);
  function* within(): Iterable<number> {
    for (const row of rows()) if (ofEach(row)) yield row;
  }
  const ofAll = lowest({ rows: within, order, quotas: [count] });
  return (row) => ofEach(row) && ofAll(row);
}

const presentIn = (counts: readonly number[]): number => counts.filter((count) => count > 0).length;

/** What a report says of it: training rows of each value before and after, the most common first. */
interface BalanceCounts {
  readonly by: string;
  readonly atMost: number;
  readonly values: readonly { readonly value: string; readonly rows: number; readonly kept: number }[];
}

/** Values that a report lists. */
const SHOWN = 100;

export function balanceCounts(
  { values, atMost }: Balance,
  before: readonly number[],
  after: readonly number[],
): BalanceCounts {
  const all = values.names.map((value, i) => ({ value, rows: before[i] ?? 0, kept: after[i] ?? 0 }));
  const present = all.filter(({ rows }) => rows > 0).sort((a, b) => b.rows - a.rows || b.kept - a.kept);
  return { by: values.column, atMost, values: present.slice(0, SHOWN) };
}

/** Of the most common value; 0 without rows. */
export function largestShare(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total === 0 ? 0 : Math.max(...counts) / total;
}
