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
  const counted = countedRows(name, rows, options.args ?? {});
  const parts = counted.map(metrics[name].part);
  const weight = parts.reduce((sum, part) => sum + part.weight, 0);
  if (weight === 0) return undefined;
  const statistic = statisticOf(name, counted);
  const ends =
    metrics[name].interval === 'wilson'
      ? wilson(
          parts.reduce((sum, part) => sum + part.sum, 0),
          weight,
        )
      : resampled(parts.length, statistic, options);
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
  const first = countedRows(name, rows, options.args ?? {});
  const second = countedRows(name, other, options.args ?? {});
  if (first.length !== second.length)
    throw new RangeError(`${first.length} rows compared with ${second.length}`);
  if (!first.some((row) => metrics[name].part(row).weight > 0)) return undefined;
  const [own, others] = [statisticOf(name, first), statisticOf(name, second)];
  const difference = (draws?: Uint32Array): number => own(draws) - others(draws);
  const ends = resampled(first.length, difference, options);
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
function statisticOf(name: MetricName, rows: readonly MeasuredRow[]): (draws?: Uint32Array) => number {
  const { statistic, finish, part } = metrics[name];
  if (statistic !== undefined) return statistic(rows);
  const parts = rows.map(part);
  return (draws) => finish(weightedMean(parts, draws));
}

const resampled = (
  rows: number,
  statistic: (draws: Uint32Array) => number,
  { resamples, seed }: MeasureOptions,
): Interval => bootstrap(rows, statistic, resamples ?? resamplesFor(rows), seededRandom(seed, STREAM));

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
