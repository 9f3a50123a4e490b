import type { Row } from './parse-row.js';
import { type SplitName, splitNames } from './split.js';

/** `statistics.json` of a data stage: what is in the rows that were kept. */
interface DataStatistics {
  readonly version: 1;
  readonly splits: Readonly<Record<SplitName, { readonly rows: number; readonly general: number }>>;
  readonly columns: Readonly<Record<string, ColumnStatistics>>;
}

interface ColumnStatistics {
  /** Rows that have the column. */
  readonly rows: number;
  /** Characters of its texts: `histogram[i]` have at most `64 · 2^i`. */
  readonly characters: {
    readonly mean: number;
    readonly longest: number;
    readonly histogram: readonly number[];
  };
  /** The most common short texts, numbers and booleans; absent if there are too many different ones. */
  readonly top?: readonly { readonly value: string; readonly rows: number }[];
}

/** More columns or more different values are not counted. */
const COLUMNS = 64;
const VALUES = 2000;
const SHORT = 64;
const TOP = 12;

interface ColumnCounts {
  rows: number;
  texts: number;
  characters: number;
  longest: number;
  readonly histogram: number[];
  values: Map<string, number> | undefined;
}

/** Counts row by row; what it holds does not grow with the rows. */
export class StatisticsCounter {
  private readonly columns = new Map<string, ColumnCounts>();
  private readonly splits = {
    train: { rows: 0, general: 0 },
    valid: { rows: 0, general: 0 },
    test: { rows: 0, general: 0 },
  };

  add(row: Row, split: number, general: boolean): void {
    const counted = this.splits[splitNames[split] ?? 'train'];
    counted.rows++;
    if (general) counted.general++;
    for (const [name, value] of Object.entries(row)) {
      const column = this.column(name);
      if (column !== undefined) count(column, value);
    }
  }

  private column(name: string): ColumnCounts | undefined {
    const known = this.columns.get(name);
    if (known !== undefined || this.columns.size >= COLUMNS) return known;
    const column = { rows: 0, texts: 0, characters: 0, longest: 0, histogram: [], values: new Map() };
    this.columns.set(name, column);
    return column;
  }

  result(): DataStatistics {
    return {
      version: 1,
      splits: this.splits,
      columns: Object.fromEntries([...this.columns].map(([name, column]) => [name, summary(column)])),
    };
  }
}

function count(column: ColumnCounts, value: unknown): void {
  column.rows++;
  if (typeof value === 'string') {
    const { length } = value;
    column.texts++;
    column.characters += length;
    column.longest = Math.max(column.longest, length);
    const bar = Math.max(0, Math.ceil(Math.log2(Math.max(1, length) / 64)));
    while (column.histogram.length <= bar) column.histogram.push(0);
    column.histogram[bar] = (column.histogram[bar] ?? 0) + 1;
  }
  const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  if (!simple || column.values === undefined) return;
  const key = String(value);
  if (key.length > SHORT) return;
  column.values.set(key, (column.values.get(key) ?? 0) + 1);
  if (column.values.size > VALUES) column.values = undefined;
}

function summary(column: ColumnCounts): ColumnStatistics {
  const { rows, texts, characters, longest, histogram, values } = column;
  const base = { rows, characters: { mean: texts === 0 ? 0 : characters / texts, longest, histogram } };
  if (values === undefined || values.size === 0) return base;
  const top = [...values]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, TOP)
    .map(([value, count]) => ({ value, rows: count }));
  return { ...base, top };
}
