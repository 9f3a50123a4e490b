import { seededRandom } from '../random.js';
import { bootstrap, type Interval, weightedMean, wilson } from './interval.js';
import { metrics } from './table.js';
import type { MeasuredRow, Measurement, MetricArgs, MetricName, Part } from './types.js';

export interface MeasureOptions {
  readonly args?: MetricArgs;
  readonly seed: number;
  /** Default 1,000, fewer from 20,000 rows on. */
  readonly resamples?: number;
}

/** The metric over the rows that count, with its 95 % interval; `undefined` where no row counts. */
export function measure(
  name: MetricName,
  rows: readonly MeasuredRow[],
  options: MeasureOptions,
): Measurement | undefined {
  const parts = partsOf(name, rows, options.args ?? {});
  const weight = parts.reduce((sum, part) => sum + part.weight, 0);
  if (weight === 0) return undefined;
  const { finish, interval } = metrics[name];
  const ends =
    interval === 'wilson'
      ? wilson(
          parts.reduce((sum, part) => sum + part.sum, 0),
          weight,
        )
      : bootstrapMean(parts, options);
  return {
    value: finish(weightedMean(parts)),
    low: finish(ends.low),
    high: finish(ends.high),
    rows: parts.length,
  };
}

/**
 * How much larger the metric is for `rows` than for `other`, the same rows of another model. Both are resampled
 * together: a row that is hard for both doesn't widen the interval. `undefined` where no row counts.
 */
export function measureDifference(
  name: MetricName,
  rows: readonly MeasuredRow[],
  other: readonly MeasuredRow[],
  options: MeasureOptions,
): Measurement | undefined {
  const first = partsOf(name, rows, options.args ?? {});
  const second = partsOf(name, other, options.args ?? {});
  if (first.length !== second.length)
    throw new RangeError(`${first.length} rows compared with ${second.length}`);
  if (!first.some((part) => part.weight > 0)) return undefined;
  const { finish } = metrics[name];
  const difference = (draws?: Uint32Array): number =>
    finish(weightedMean(first, draws)) - finish(weightedMean(second, draws));
  const ends = bootstrap(
    first.length,
    difference,
    options.resamples ?? resamplesFor(first.length),
    seededRandom(options.seed, STREAM),
  );
  return { value: difference(), ...ends, rows: first.length };
}

const MOST_RESAMPLES = 1000;
/** Draws of one interval: with very many rows fewer resamples do, as the interval is narrow. */
const MOST_DRAWS = 20_000_000;
/** Keeps these draws apart from those of other uses of the same seed. */
const STREAM = 0x626f6f74;

function partsOf(name: MetricName, rows: readonly MeasuredRow[], args: MetricArgs): readonly Part[] {
  const { needs, counts, part } = metrics[name];
  return rows
    .filter((row) => counts(row, args) && (needs !== 'answer' || row.answer !== undefined))
    .map(part);
}

function bootstrapMean(parts: readonly Part[], { resamples, seed }: MeasureOptions): Interval {
  return bootstrap(
    parts.length,
    (draws) => weightedMean(parts, draws),
    resamples ?? resamplesFor(parts.length),
    seededRandom(seed, STREAM),
  );
}

function resamplesFor(rows: number): number {
  return Math.max(100, Math.min(MOST_RESAMPLES, Math.floor(MOST_DRAWS / rows)));
}
