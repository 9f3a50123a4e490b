/** The training rows of several sources, interleaved and repeated. */
import type { SourceCounts } from '../row-report.js';
import { interleaved, type MixPart, mixRows, type StoppingStrategy, scaled } from './mix-plan.js';
import { lowestFirst, type Order, orderIn } from './row-order.js';
import type { RowTable } from './row-table.js';
import { bySplit, keepLowest, type SelectOptions, within } from './select-rows.js';
import type { SourceFile } from './sources.js';
import { splitNames } from './split.js';

/** What a source of a mix gives to the training split. */
export interface MixedPart {
  /** Its rows for training, in their order. */
  readonly rows: readonly number[];
  /** Times that each of them is used, and those that are used once more. */
  readonly whole: number;
  readonly extra: ReadonlySet<number>;
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
  const kept = bySplit(table, () => true);
  const pools = [{}, ...options.sources].map((): number[] => []);
  for (const row of kept[0] ?? []) pools[files[table.file.get(row)]?.part ?? 0]?.push(row);
  const wanted = mixRows(
    pools.map((rows, part) => ({ rows: rows.length, ...options.sources[part - 1] })),
    options.strategy,
  );
  const [valid, test] = [kept[1]?.length ?? 0, kept[2]?.length ?? 0];
  const have = { train: wanted.reduce((total, count) => total + count, 0), valid, test };
  const quotas = within(have, options.limit);
  const order = orderIn(table, options.seed);
  for (const [index, name] of splitNames.entries())
    if (name !== 'train') keepLowest(table, kept[index] ?? [], quotas[name], order);
  const counts = scaled(wanted, quotas.train);
  return pools.map((rows, part) => partOf(table, rows, counts[part] ?? 0, order));
}

function partOf(table: RowTable, rows: readonly number[], count: number, order: Order): MixedPart {
  const whole = rows.length === 0 ? 0 : Math.floor(count / rows.length);
  const sorted = lowestFirst(rows, order);
  const extra = new Set(sorted.slice(0, count - whole * rows.length));
  if (whole === 0) for (const row of rows) if (!extra.has(row)) table.drop(row, 'passed');
  return { rows, whole, extra };
}

const usesOf = ({ rows, whole, extra }: MixedPart): number => whole * rows.length + extra.size;

/** The training split in its order: the sources interleaved, each beginning again where it is repeated. */
export function* mixedOrder(parts: readonly MixedPart[]): Iterable<number> {
  const next = parts.map((part) => inPasses(part)[Symbol.iterator]());
  for (const part of interleaved(parts.map(usesOf))) {
    const taken = next[part]?.next();
    if (taken !== undefined && taken.done !== true) yield taken.value;
  }
}

function* inPasses({ rows, whole, extra }: MixedPart): Iterable<number> {
  for (let pass = 0; pass < whole; pass++) yield* rows;
  for (const row of rows) if (extra.has(row)) yield row;
}

export function countsOf(part: MixedPart, source: string): SourceCounts {
  const [rows, all] = [part.rows.length, usesOf(part)];
  const used = Math.min(rows, all);
  return { source, rows, used, repeated: all - used, left: rows - used };
}

/** `b.jsonl: 120 of 200 rows, 80 left`. */
export function mixSentence({ source, rows, used, repeated, left }: SourceCounts): string {
  const others = [...(repeated > 0 ? [`${repeated} repeated`] : []), ...(left > 0 ? [`${left} left`] : [])];
  return `the mix takes ${[`${used} of ${rows} training rows of ${source}`, ...others].join(', ')}`;
}
