/** How many rows each split will have, before the stage that makes it has run. */
import { type DataSettings, generalMix, mixedSources } from '../../../language/schemas/stages/data.js';
import { DEFAULT_STRATEGY, mixRows } from './mix-plan.js';
import { generalRows } from './select-rows.js';
import type { Shares, SplitName } from './split.js';

/** Rows of a data stage before it has run: of `source` and each source of a mix of several, and of general rows. */
export interface SourceRows {
  readonly own: readonly number[];
  readonly general: number;
}

type SizeSettings = Pick<DataSettings, 'mix' | 'split' | 'stopping_strategy'>;

const ALL_FOR_TRAINING: Shares = { train: 1, valid: 0, test: 0 };

/** Rows that each source gives to training where the splits are as large as they are asked to be, and general rows. */
export function expectedUses(settings: SizeSettings, { own, general }: SourceRows): SourceRows {
  const { train } = settings.split ?? ALL_FOR_TRAINING;
  const sources = mixedSources(settings);
  const rows = own.map((count) => count * train);
  const mix = generalMix(settings);
  const ofGeneral = mix === undefined ? 0 : Math.min(general, generalRows(sum(rows), mix.share));
  if (sources.length === 0) return { own: rows, general: ofGeneral };
  const parts = rows.map((count, part) => ({ rows: Math.round(count), ...sources[part - 1] }));
  return { own: mixRows(parts, settings.stopping_strategy ?? DEFAULT_STRATEGY), general: 0 };
}

export type ExpectedSplits = Readonly<Record<SplitName | 'all', number>>;

/** Rows of each split at most, as repetitions are not known; `kept`: what fraction of the rows is left once they are read. */
export function expectedSplits(
  settings: SizeSettings & Pick<DataSettings, 'limit'>,
  rows: SourceRows,
  kept: { readonly own: readonly number[]; readonly general: number } = {
    own: rows.own.map(() => 1),
    general: 1,
  },
): ExpectedSplits {
  const limit = settings.limit ?? Number.POSITIVE_INFINITY;
  const shares = settings.split ?? ALL_FOR_TRAINING;
  const uses = expectedUses(settings, rows);
  const all = sum(rows.own);
  const taken = Math.min(1, limit / Math.max(1, sum(uses.own) + all * (1 - shares.train) + uses.general));
  const left = (counts: readonly number[]): number =>
    sum(counts.map((count, part) => count * (kept.own[part] ?? 1)));
  const train = taken * (left(uses.own) + uses.general * kept.general);
  const [valid, test] = [shares.valid, shares.test].map((share) => taken * left(rows.own) * share);
  return { train, valid: valid ?? 0, test: test ?? 0, all: train + (valid ?? 0) + (test ?? 0) };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
