import type { DataSettings } from '../../../language/schemas/stages/data.js';
import { unitHash } from './hashes.js';
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

/**
 * Passes over what a limit and the mix don't take, the rows of the lowest hashes staying. A limit counts general rows
 * too, and is shared out over the splits by the rows that they have.
 */
export function selectRows(
  table: RowTable,
  files: readonly SourceFile[],
  options: { readonly limit?: number; readonly share: number; readonly seed: number },
): Selection {
  const isGeneral = (row: number): boolean => files[table.file.get(row)]?.general === true;
  const kept = [...splitNames, 'general' as const].map((): number[] => []);
  for (const row of table.kept()) kept[isGeneral(row) ? 3 : table.split.get(row)]?.push(row);
  const [train = [], valid = [], test = [], general = []] = kept;
  const selection = plan(
    { train: train.length, valid: valid.length, test: test.length },
    general.length,
    options.share,
    options.limit,
  );
  const order = (row: number): number =>
    unitHash(options.seed, `${table.high.get(row)} ${table.low.get(row)}`);
  keepLowest(table, general, selection.general, order);
  for (const [index, name] of splitNames.entries())
    keepLowest(table, kept[index] ?? [], selection.quotas[name], order);
  return selection;
}

function plan(have: Shares, general: number, share: number, limit: number | undefined): Selection {
  const mixed = generalRows(have.train, share);
  const total = have.train + Math.min(mixed, general) + have.valid + have.test;
  if (limit === undefined || total <= limit)
    return { quotas: have, general: Math.min(mixed, general), wanted: mixed };
  const quotas = shareOut(limit, { ...have, train: have.train + Math.min(mixed, general) });
  const wanted = Math.round(quotas.train * share);
  const taken = Math.min(wanted, general);
  return { quotas: { ...quotas, train: Math.min(have.train, quotas.train - taken) }, general: taken, wanted };
}

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

function keepLowest(
  table: RowTable,
  rows: readonly number[],
  count: number,
  order: (row: number) => number,
): void {
  if (rows.length <= count) return;
  const places = Float64Array.from(rows, order);
  const sorted = Uint32Array.from(rows.keys()).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0) || a - b);
  for (const index of sorted.subarray(count)) table.drop(rows[index] ?? 0, 'passed');
}

/** The general rows that make up this fraction of a training split with so many rows of its own, as far as there are any. */
const generalRows = (own: number, fraction: number): number => Math.round((own * fraction) / (1 - fraction));

/** Rows of the sources of a data stage, and of those that its `mix` takes general rows from. */
export interface SourceRows {
  readonly own: number;
  readonly general: number;
}

/** General rows that are taken where the splits are as large as they are asked to be. */
export const expectedGeneralRows = (
  { mix, split }: Pick<DataSettings, 'mix' | 'split'>,
  { own, general }: SourceRows,
): number => (mix === undefined ? 0 : Math.min(general, generalRows(own * (split?.train ?? 1), mix.share)));

export type ExpectedSplits = Readonly<Record<SplitName | 'all', number>>;

/** Rows of each split at most, as repetitions are not known; `kept`: what fraction of either rows is left once they are read. */
export function expectedSplits(
  settings: Pick<DataSettings, 'mix' | 'split' | 'limit'>,
  rows: SourceRows,
  kept: SourceRows = { own: 1, general: 1 },
): ExpectedSplits {
  const limit = settings.limit ?? Number.POSITIVE_INFINITY;
  const shares = settings.split ?? { train: 1, valid: 0, test: 0 };
  const mixed = expectedGeneralRows(settings, rows);
  const taken = Math.min(1, limit / Math.max(1, rows.own + mixed));
  const own = (share: number): number => rows.own * share * kept.own;
  const [train, valid, test] = [
    taken * (own(shares.train) + mixed * kept.general),
    taken * own(shares.valid),
    taken * own(shares.test),
  ];
  return { train, valid, test, all: train + valid + test };
}
