/** How far predictions are from what was published. */
import { torchPeak } from '../../../src/compute/accelerate/memory/index.js';
import type { Range, TorchPeak } from '../../../src/compute/accelerate/memory/training.js';
import { FORMULAS, type FormulaName } from './formulas.js';
import type { Measure, PublishedRow } from './rows.js';
import { trainingOf } from './runs.js';

const GIB = 2 ** 30;

export interface Score {
  readonly row: PublishedRow;
  readonly peak: TorchPeak;
  /** GiB: what is said for the measure of the row. */
  readonly predicted: number;
  readonly interval: Range;
  /** Signed, as a share of what was published; 0 within the two ends of an open unit. */
  readonly error: number;
  readonly isInside: boolean;
  readonly others: Readonly<Partial<Record<FormulaName, number>>>;
}

const middle = ({ low, high }: Range): number => (low + high) / 2;

/** What of a prediction a measure is held against. */
const MEASURES: Readonly<Record<Measure, (peak: TorchPeak) => Range & { readonly at?: number }>> = {
  allocated: ({ allocated }) => ({ ...allocated, at: allocated.bytes }),
  reserved: ({ reserved }) => reserved,
  driver: ({ driver }) => driver,
  unstated: ({ allocated, driver }) => ({ low: allocated.low, high: driver.high }),
};

export function scoreOf(row: PublishedRow): Score | undefined {
  const { run, peak: published } = row;
  if (published === undefined) return undefined;
  const peak = torchPeak(trainingOf(run));
  const said = MEASURES[published.measure](peak);
  const predicted = (said.at ?? middle(said)) / GIB;
  const interval = { low: said.low / GIB, high: said.high / GIB };
  const others = Object.entries(FORMULAS).flatMap(([name, formula]) => {
    const value = formula(run);
    return value === undefined ? [] : [[name, errorOf(value, published)]];
  });
  return {
    ...{ row, peak, predicted, interval },
    error: errorOf(predicted, published),
    isInside: published.high >= interval.low && published.low <= interval.high,
    others: Object.fromEntries(others),
  };
}

function errorOf(value: number, { low, high }: Range): number {
  const nearest = Math.min(Math.max(value, low), high);
  return value / nearest - 1;
}

export const VERDICTS = ['fits', 'may fit', 'does not fit'] as const;
type Verdict = (typeof VERDICTS)[number];

/** What a plan says of a card of so many GiB. Nothing is called a fit of which not all settings are known. */
export function verdictOf({ run }: PublishedRow, capacity: number): Verdict {
  const { allocated, driver } = torchPeak(trainingOf(run));
  if (allocated.low / GIB > capacity) return 'does not fit';
  return run.certainty !== 'assumed' && driver.high / GIB <= capacity ? 'fits' : 'may fit';
}

interface Summary {
  readonly count: number;
  readonly median: number;
  readonly p90: number;
  /** Share inside of their intervals. */
  readonly coverage: number;
}

export function summaryOf(scores: readonly Score[]): Summary {
  const errors = scores.map(({ error }) => Math.abs(error));
  return {
    count: scores.length,
    median: quantile(errors, 0.5),
    p90: quantile(errors, 0.9),
    coverage: scores.filter(({ isInside }) => isInside).length / Math.max(1, scores.length),
  };
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Rows of one kind, for which aims are set. */
export const GROUPS = {
  'allocated, one GPU, known lengths': ({ run, peak }) =>
    peak?.measure === 'allocated' && (run.world ?? 1) === 1 && run.certainty !== 'assumed',
  'allocated, one GPU, assumed lengths': ({ run, peak }) =>
    peak?.measure === 'allocated' && (run.world ?? 1) === 1 && run.certainty === 'assumed',
  'sharded, allocated, known lengths': ({ run, peak }) =>
    (run.world ?? 1) > 1 && peak?.measure === 'allocated' && run.certainty !== 'assumed',
  'sharded, allocated, assumed lengths': ({ run, peak }) =>
    (run.world ?? 1) > 1 && peak?.measure === 'allocated' && run.certainty === 'assumed',
  'sharded, other measures': ({ run, peak }) => (run.world ?? 1) > 1 && peak?.measure !== 'allocated',
  'reserved or driver, one GPU': ({ run, peak }) =>
    (run.world ?? 1) === 1 && (peak?.measure === 'reserved' || peak?.measure === 'driver'),
  'measure unstated, one GPU': ({ run, peak }) => (run.world ?? 1) === 1 && peak?.measure === 'unstated',
} as const satisfies Readonly<Record<string, (row: PublishedRow) => boolean>>;
