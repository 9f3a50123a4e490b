/** The training rows of several sources, interleaved and repeated. */
import type { SourceCounts } from '../row-report.js';
import { interleaved, type MixPart, mixRows, type StoppingStrategy, scaled } from './mix-plan.js';
import { keptRows, lowest, type Rows } from './row-order.js';
import type { RowTable } from './row-table.js';
import { lowestOfSplits, passOver, type SelectOptions, within } from './select-rows.js';
import type { SourceFile } from './sources.js';
import { splitNames } from './split.js';

/** What a source of a mix gives to the training split. */
export interface MixedPart {
  /** Its rows for training that are used, in their order. */
  readonly rows: Rows;
  /** Those that it has. */
  readonly count: number;
  /** Times that each of them is used, and how many of them, and which, are used once more. */
  readonly whole: number;
  readonly more: number;
  readonly isMore: (row: number) => boolean;
}

/**
 * The training rows of several sources. What a limit and the mix leave out is passed over, and what comes more than once
 * comes in the order of its file each time: a row that is repeated is in no other split, since each has one already.
 */
export function selectMixed(
  table: RowTable,
  files: readonly SourceFile[],
  options: SelectOptions & {
    readonly sources: readonly Omit<MixPart, 'rows'>[];
    readonly strategy: StoppingStrategy;
  },
): readonly MixedPart[] {
  const pools = poolsOf(table, files, 1 + options.sources.length);
  const have = { train: 0, valid: 0, test: 0 };
  const heldOut = keptRows(table, (row) => table.split.get(row) !== 0);
  for (const row of heldOut()) have[splitNames[table.split.get(row)] ?? 'train']++;
  const wanted = mixRows(
    pools.map(({ count }, part) => ({ rows: count, ...options.sources[part - 1] })),
    options.strategy,
  );
  have.train = wanted.reduce((total, count) => total + count, 0);
  const quotas = within(have, options.limit);
  const { order } = options;
  passOver(table, heldOut, lowestOfSplits(table, heldOut, quotas, order));
  const uses = scaled(wanted, quotas.train).map((uses, part) => {
    const { count = 0 } = pools[part] ?? {};
    const whole = count === 0 ? 0 : Math.floor(uses / count);
    return { whole, more: uses - whole * count };
  });
  const rows = keptRows(table, (row) => table.split.get(row) === 0);
  const groupOf = (row: number): number => files[table.file.get(row)]?.part ?? 0;
  const isMore = lowest({ rows, order, quotas: uses.map(({ more }) => more), groupOf });
  passOver(table, rows, (row) => (uses[groupOf(row)]?.whole ?? 0) > 0 || isMore(row));
  return pools.map((pool, part) => ({ ...pool, ...(uses[part] ?? { whole: 0, more: 0 }), isMore }));
}

/** Training rows of each source, which are next to one another in the table. */
function poolsOf(
  table: RowTable,
  files: readonly SourceFile[],
  parts: number,
): readonly Pick<MixedPart, 'rows' | 'count'>[] {
  const pools = Array.from({ length: parts }, () => ({ first: table.count, end: 0, count: 0 }));
  const training = keptRows(table, (row) => table.split.get(row) === 0);
  const partOf = (row: number): number => files[table.file.get(row)]?.part ?? 0;
  for (const row of training()) {
    const pool = pools[partOf(row)];
    if (pool === undefined) continue;
    pool.first = Math.min(pool.first, row);
    pool.end = row + 1;
    pool.count++;
  }
  return pools.map(({ first, end, count }, part) => ({
    count,
    *rows() {
      for (let row = first; row < end; row++)
        if (table.is(row, 'kept') && table.split.get(row) === 0 && partOf(row) === part) yield row;
    },
  }));
}

const usesOf = ({ count, whole, more }: MixedPart): number => whole * count + more;

/** The training split in its order: the sources interleaved, each beginning again where it is repeated. */
export function* mixedOrder(parts: readonly MixedPart[]): Iterable<number> {
  const next = parts.map((part) => inPasses(part)[Symbol.iterator]());
  for (const part of interleaved(parts.map(usesOf))) {
    const taken = next[part]?.next();
    if (taken !== undefined && taken.done !== true) yield taken.value;
  }
}

function* inPasses({ rows, whole, isMore }: MixedPart): Iterable<number> {
  for (let pass = 0; pass < whole; pass++) yield* rows();
  for (const row of rows()) if (isMore(row)) yield row;
}

export function countsOf(part: MixedPart, source: string): SourceCounts {
  const [rows, all] = [part.count, usesOf(part)];
  const used = Math.min(rows, all);
  return { source, rows, used, repeated: all - used, left: rows - used };
}

/** `b.jsonl: 120 of 200 rows, 80 left`. */
export function mixSentence({ source, rows, used, repeated, left }: SourceCounts): string {
  const others = [...(repeated > 0 ? [`${repeated} repeated`] : []), ...(left > 0 ? [`${left} left`] : [])];
  return `the mix takes ${[`${used} of ${rows} training rows of ${source}`, ...others].join(', ')}`;
}
