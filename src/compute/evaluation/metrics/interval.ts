import type { Random } from '../seeded-random.js';
import type { MetricPart } from './types.js';

export interface Interval {
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
    low: Math.max(0, (centre - spread) / (1 + square)),
    high: Math.min(1, (centre + spread) / (1 + square)),
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
export function weightedMean(parts: readonly MetricPart[], draws?: Uint32Array): number {
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
