/**
 * Means and shares of what users do, with their variance. Users are assigned to releases, not requests: requests of one
 * user are alike, so that the variance is that between users (Deng, Knoblich and Lu, Applying the delta method in metric
 * analytics, KDD 2018).
 */

/** Of the requests of one group of users: the sum of a measure, and how many have it. */
export interface GroupSum {
  readonly sum: number;
  readonly count: number;
}

export interface Estimate {
  /** Requests that have the measure. */
  readonly count: number;
  /** Groups of users with such requests. */
  readonly groups: number;
  readonly mean: number;
  /** Of the mean; NaN where there are less than two groups. */
  readonly variance: number;
}

/** The mean R = ΣY/ΣN and its variance Σ(Yᵤ − R Nᵤ)²/(ΣN)² · G/(G − 1), over G groups. */
export function estimate(sums: Iterable<GroupSum>): Estimate {
  const seen = [...sums].filter(({ count }) => count > 0);
  const count = total(seen.map((each) => each.count));
  const mean = count === 0 ? Number.NaN : total(seen.map(({ sum }) => sum)) / count;
  const squares = total(seen.map((each) => (each.sum - mean * each.count) ** 2));
  const groups = seen.length;
  return { count, groups, mean, variance: (squares / count ** 2) * (groups / (groups - 1)) };
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/**
 * How many independent requests would say as much about a share: fewer than there are where those of one user are alike.
 */
export function effectiveCount({ count, mean, variance }: Estimate): number {
  const independent = mean * (1 - mean);
  if (!(independent > 0) || !(variance > 0)) return count;
  return Math.min(count, independent / variance);
}
