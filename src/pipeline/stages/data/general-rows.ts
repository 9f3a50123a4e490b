/** How many general rows a `mix` adds to the training split, and how many rows the splits have with them. */
import type { DataSettings } from '../../../language/schemas/stages/data.js';
import type { SplitName } from './split.js';

/** The general rows that make up this fraction of a training split with so many rows of its own, as far as there are any. */
export const generalRows = (own: number, fraction: number): number =>
  Math.round((own * fraction) / (1 - fraction));

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
