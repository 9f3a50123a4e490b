import { type Random, seededRandom } from '../seeded-random.js';
import { metrics } from './table.js';
import type { MeasuredRow, Measurement, MetricArgs, MetricName, MetricPart } from './types.js';

interface MeasureOptions {
  readonly args?: MetricArgs;
  readonly seed: number;
  /** Default 1,000, fewer from 20,000 rows on. */
  readonly resamples?: number;
}

/** The metric over the rows that count, with its 95 % interval; `undefined` if no row counts. */
export function measure(
  name: MetricName,
  rows: readonly MeasuredRow[],
  options: MeasureOptions,
): Measurement | undefined {
  const { args = {} } = options;
  const counted = countedRows(name, rows, args);
  const parts = counted.map(metrics[name].part(args));
  const weight = parts.reduce((sum, part) => sum + part.weight, 0);
  if (weight === 0) return undefined;
  const statistic = statisticOf(name, counted, args);
  const ends =
    metrics[name].interval === 'wilson'
      ? wilson(
          parts.reduce((sum, part) => sum + part.sum, 0),
          weight,
        )
      : intervalOf(name, parts.length, statistic, options);
  return { value: statistic(), low: ends.low, high: ends.high, rows: parts.length };
}

/**
 * How much larger the metric is for `rows` than for `other`, the same rows of another model. Both are resampled
 * together: a row that is hard for both doesn't widen the interval. `undefined` if no row counts.
 */
export function measureDifference(
  name: MetricName,
  rows: readonly MeasuredRow[],
  other: readonly MeasuredRow[],
  options: MeasureOptions,
): Measurement | undefined {
  const { args = {} } = options;
  const first = countedRows(name, rows, args);
  const second = countedRows(name, other, args);
  if (first.length !== second.length)
    throw new RangeError(`${first.length} rows compared with ${second.length}`);
  const part = metrics[name].part(args);
  if (!first.some((row) => part(row).weight > 0)) return undefined;
  const [own, others] = [statisticOf(name, first, args), statisticOf(name, second, args)];
  const difference = (draws?: Uint32Array): number => own(draws) - others(draws);
  const ends = intervalOf(name, first.length, difference, options);
  return { value: difference(), ...ends, rows: first.length };
}

const MOST_RESAMPLES = 1000;
/** Draws of one interval: with very many rows fewer resamples do, as the interval is narrow. */
const MOST_DRAWS = 20_000_000;
/** Keeps these draws apart from those of other uses of the same seed. */
const STREAM = 0x626f6f74;

function countedRows(
  name: MetricName,
  rows: readonly MeasuredRow[],
  args: MetricArgs,
): readonly MeasuredRow[] {
  const { needs, counts } = metrics[name];
  return rows.filter((row) => counts(row, args) && (needs !== 'answer' || row.answer !== undefined));
}

/** The value of a metric over rows, each of which counts as often as it was drawn. */
function statisticOf(
  name: MetricName,
  rows: readonly MeasuredRow[],
  args: MetricArgs,
): (draws?: Uint32Array) => number {
  const { statistic, finish, part } = metrics[name];
  if (statistic !== undefined) return statistic(rows, args);
  const parts = rows.map(part(args));
  return (draws) => finish(weightedMean(parts, draws));
}

const intervalOf = (
  name: MetricName,
  rows: number,
  statistic: (draws?: Uint32Array) => number,
  { resamples, seed }: MeasureOptions,
): Interval =>
  metrics[name].interval === 'jackknife'
    ? jackknife(rows, statistic)
    : bootstrap(rows, statistic, resamples ?? resamplesFor(rows), seededRandom(seed, STREAM));

const resamplesFor = (rows: number): number =>
  Math.max(100, Math.min(MOST_RESAMPLES, Math.floor(MOST_DRAWS / rows)));

interface Interval {
  readonly low: number;
  readonly high: number;
}

const Z = 1.959963984540054;

/** Wilson's score interval at 95 % of `hits` in `total` trials (Wilson 1927). */
export function wilson(hits: number, total: number): Interval {
  const share = hits / total;
  const square = (Z * Z) / total;
  const centre = share + square / 2;
  const spread = Z * Math.sqrt((share * (1 - share)) / total + square / total / 4);
  return {
    // rounding would leave a few times 1e-19 where the interval ends exactly at 0, or at 1
    low: hits === 0 ? 0 : Math.max(0, (centre - spread) / (1 + square)),
    high: hits === total ? 1 : Math.min(1, (centre + spread) / (1 + square)),
  };
}

/**
 * Percentile interval at 95 % of `statistic` over rows drawn with replacement (Efron 1979). A statistic of a
 * resample sees how often each row was drawn: `draws[i]` times row i.
 */
export function bootstrap(
  rows: number,
  statistic: (draws: Uint32Array) => number,
  resamples: number,
  random: Random,
): Interval {
  const values = new Float64Array(resamples);
  const draws = new Uint32Array(rows);
  for (let i = 0; i < resamples; i++) {
    draws.fill(0);
    for (let j = 0; j < rows; j++) {
      const row = Math.floor(random() * rows);
      draws[row] = (draws[row] as number) + 1;
    }
    values[i] = statistic(draws);
  }
  values.sort();
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

const MOST_GROUPS = 200;

/**
 * Normal interval at 95 % around `statistic`, with the variance that leaving out a row shows (Tukey 1958), or one of 200
 * groups of rows where there are more (Wolter 2007): no row is drawn twice.
 */
export function jackknife(rows: number, statistic: (draws?: Uint32Array) => number): Interval {
  const groups = Math.min(rows, MOST_GROUPS);
  const value = statistic();
  if (groups < 2) return { low: value, high: value };
  const without = Array.from({ length: groups }, (_, group) =>
    statistic(Uint32Array.from({ length: rows }, (__, row) => (row % groups === group ? 0 : 1))),
  );
  const centre = without.reduce((sum, each) => sum + each, 0) / groups;
  const squares = without.reduce((sum, each) => sum + (each - centre) ** 2, 0);
  const spread = Z * Math.sqrt(((groups - 1) / groups) * squares);
  return { low: value - spread, high: value + spread };
}

/** Σ sum ÷ Σ weight of a resample; all of the parts when there are no draws. */
function weightedMean(parts: readonly MetricPart[], draws?: Uint32Array): number {
  let sum = 0;
  let weight = 0;
  for (const [i, part] of parts.entries()) {
    const times = draws === undefined ? 1 : (draws[i] as number);
    sum += times * part.sum;
    weight += times * part.weight;
  }
  return weight === 0 ? 0 : sum / weight;
}

/** Linear interpolation between order statistics, as NumPy's default. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const below = sorted[low] as number;
  const above = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return below + (above - below) * (at - low);
}
