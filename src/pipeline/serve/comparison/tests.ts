/** Intervals and tests for the difference of two releases. */

/** Two-sided 95 %. */
export const Z95 = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A share among so many; `count` may be a fraction. */
interface Share {
  readonly share: number;
  readonly count: number;
}

/** Wilson's score interval of a share (Wilson 1927). */
export function wilson({ share, count }: Share, z = Z95): Interval {
  if (!(count > 0)) return { low: 0, high: 1 };
  const centre = share + z ** 2 / (2 * count);
  const half = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  const scale = 1 + z ** 2 / count;
  return { low: Math.max(0, (centre - half) / scale), high: Math.min(1, (centre + half) / scale) };
}

/**
 * The interval of b − a from the two score intervals (Newcombe, Interval estimation for the difference between independent
 * proportions, Statistics in Medicine 1998, method 10).
 */
export function newcombe(a: Share, b: Share, z = Z95): Interval {
  const [one, other] = [wilson(a, z), wilson(b, z)];
  const difference = b.share - a.share;
  return {
    low: difference - Math.hypot(b.share - other.low, one.high - a.share),
    high: difference + Math.hypot(other.high - b.share, a.share - one.low),
  };
}

/** Variance of the difference of two shares if both were the same. */
export function pooledVariance(a: Share, b: Share): number {
  const share = (a.share * a.count + b.share * b.count) / (a.count + b.count);
  return share * (1 - share) * (1 / a.count + 1 / b.count);
}

/** Two-sided p-value of a difference with this variance: the z-test. */
export const zTest = (difference: number, variance: number): number =>
  variance > 0
    ? 2 * normalTail(Math.abs(difference) / Math.sqrt(variance))
    : difference === 0
      ? 1
      : Number.NaN;

/**
 * A p-value that holds however often one looks and whenever one stops: of the mixture sequential probability ratio test
 * with a normal mixture of deviation `tau`, the differences that are expected (Johari, Koomen, Pekelis and Walsh, Always
 * valid inference, Operations Research 2022).
 */
export function alwaysValid(difference: number, variance: number, tau: number): number {
  if (!(variance > 0)) return 1;
  const mixed = variance + tau ** 2;
  const log = 0.5 * Math.log(variance / mixed) + (tau ** 2 * difference ** 2) / (2 * variance * mixed);
  return Math.min(1, Math.exp(-log));
}

/** P(Z > z) of the standard normal, z ≥ 0, to 1e-7 relatively: erfc by its rational Chebyshev fit (Numerical Recipes, 6.2). */
export function normalTail(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ];
  const polynomial = terms.reduceRight((sum, term) => sum * t + term, 0);
  return 0.5 * t * Math.exp(-x * x + polynomial);
}
