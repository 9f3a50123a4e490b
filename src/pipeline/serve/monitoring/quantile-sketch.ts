/**
 * Quantiles of durations or lengths in bounded memory: counts in buckets whose borders grow by a constant factor, so that every
 * quantile is known to within 1 % of itself (Masson, Rim and Lee, DDSketch, VLDB 2019).
 */
export class QuantileSketch {
  private readonly buckets = new Map<number, number>();
  private total = 0;

  get count(): number {
    return this.total;
  }

  /** Seconds, or tokens; what is shorter than a microsecond counts as one. */
  add(seconds: number): void {
    if (!Number.isFinite(seconds)) return;
    const bucket = Math.ceil(Math.log(Math.min(LONGEST, Math.max(SHORTEST, seconds))) / LOG_GROWTH);
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + 1);
    this.total++;
  }

  merge(other: QuantileSketch): void {
    for (const [bucket, count] of other.buckets)
      this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0) + count);
    this.total += other.total;
  }

  /** `undefined` of nothing; `share` from 0 to 1. */
  quantile(share: number): number | undefined {
    if (this.total === 0) return undefined;
    const rank = share * (this.total - 1);
    let seen = 0;
    let found: number | undefined;
    for (const bucket of [...this.buckets.keys()].sort((a, b) => a - b)) {
      found = bucket;
      seen += this.buckets.get(bucket) ?? 0;
      if (seen > rank) break;
    }
    // The middle of the bucket, as near to its lower border as to its upper one.
    return found === undefined ? undefined : (2 * GROWTH ** found) / (GROWTH + 1);
  }
}

const ERROR = 0.01;
const GROWTH = (1 + ERROR) / (1 - ERROR);
const LOG_GROWTH = Math.log(GROWTH);
const SHORTEST = 1e-6;
/** Seconds: with it there are at most 1,400 buckets. */
const LONGEST = 1e6;
