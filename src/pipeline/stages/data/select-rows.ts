import { type Balance, takeLowest } from './balance.js';
import { keptRows, lowest, type Order, type Rows } from './row-order.js';
import type { RowTable } from './row-table.js';
import type { SourceFile } from './sources.js';
import { type Shares, type SplitName, splitNames } from './split.js';

/** How many rows are taken, and how many of those of the training split are general. */
interface Selection {
  /** Rows that each split keeps of the sources. */
  readonly quotas: Readonly<Record<SplitName, number>>;
  readonly general: number;
  /** General rows that the share asks for. */
  readonly wanted: number;
}

export interface SelectOptions {
  readonly limit?: number;
  /** What rows for training are balanced by: a limit keeps the balance. */
  readonly balance?: Balance;
  readonly order: Order;
}

/**
 * Passes over what a limit and the mix don't take, the rows of the lowest hashes staying. A limit counts general rows
 * too, and is shared out over the splits by the rows that they have.
 */
export function selectRows(
  table: RowTable,
  files: readonly SourceFile[],
  options: SelectOptions & { readonly share: number },
): Selection {
  const isGeneral = (row: number): boolean => files[table.file.get(row)]?.general === true;
  const have = { train: 0, valid: 0, test: 0 };
  let general = 0;
  for (const row of table.kept())
    if (isGeneral(row)) general++;
    else have[splitNames[table.split.get(row)] ?? 'train']++;
  const selection = plan(have, general, options.share, options.limit);
  const { balance, order } = options;
  if (general > selection.general) {
    const rows = keptRows(table, isGeneral);
    passOver(table, rows, lowest({ rows, order, quotas: [selection.general] }));
  }
  if (splitNames.every((name) => have[name] <= selection.quotas[name])) return selection;
  const own = keptRows(table, (row) => !isGeneral(row));
  const stays = lowestOfSplits(table, own, selection.quotas, order);
  if (balance === undefined || have.train <= selection.quotas.train) {
    passOver(table, own, stays);
    return selection;
  }
  const training = keptRows(table, (row) => !isGeneral(row) && table.split.get(row) === 0);
  const balanced = lowestBalanced(training, selection.quotas.train, balance, order);
  passOver(table, own, (row) => (table.split.get(row) === 0 ? balanced : stays)(row));
  return selection;
}

function plan(have: Shares, general: number, share: number, limit: number | undefined): Selection {
  const mixed = generalRows(have.train, share);
  const all = { ...have, train: have.train + Math.min(mixed, general) };
  const quotas = within(all, limit);
  if (quotas === all) return { quotas: have, general: Math.min(mixed, general), wanted: mixed };
  const wanted = Math.round(quotas.train * share);
  const taken = Math.min(wanted, general);
  return { quotas: { ...quotas, train: Math.min(have.train, quotas.train - taken) }, general: taken, wanted };
}

/** The rows of each split that a limit leaves; `have` itself where it does not reach so far. */
export const within = (have: Shares, limit: number | undefined): Shares =>
  limit === undefined || have.train + have.valid + have.test <= limit ? have : shareOut(limit, have);

/** Whole numbers in proportion to `have` that add up to `limit`: largest remainders, at least 1 where there are rows. */
function shareOut(limit: number, have: Shares): Shares {
  const total = splitNames.reduce((sum, name) => sum + have[name], 0);
  const exact = splitNames.map((name) => ({ name, share: (limit * have[name]) / total }));
  const quotas = Object.fromEntries(
    exact.map(({ name, share }) => [name, Math.max(Math.floor(share), have[name] > 0 ? 1 : 0)]),
  ) as Record<SplitName, number>;
  const given = (): number => splitNames.reduce((sum, name) => sum + quotas[name], 0);
  const byRemainder = [...exact].sort((a, b) => (b.share % 1) - (a.share % 1));
  for (const { name } of byRemainder) if (given() < limit && quotas[name] < have[name]) quotas[name]++;
  for (const name of ['valid', 'test', 'train'] as const)
    while (given() > limit && quotas[name] > (name === 'train' ? 1 : 0)) quotas[name]--;
  return quotas;
}

export const lowestOfSplits = (table: RowTable, rows: Rows, quotas: Shares, order: Order) =>
  lowest({
    rows,
    order,
    quotas: splitNames.map((name) => quotas[name]),
    groupOf: (row) => table.split.get(row),
  });

export function passOver(table: RowTable, rows: Rows, stays: (row: number) => boolean): void {
  for (const row of rows()) if (!stays(row)) table.drop(row, 'passed');
}

const lowestBalanced = (rows: Rows, count: number, { values, atMost }: Balance, order: Order) =>
  takeLowest(rows, values, Math.max(1, Math.floor(atMost * count)), count, order);

/** The general rows that make up this fraction of a training split with so many rows of its own, as far as there are any. */
export const generalRows = (own: number, fraction: number): number =>
  Math.round((own * fraction) / (1 - fraction));
