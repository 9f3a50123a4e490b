/** Whether two releases differ, measure by measure. */
import { type Estimate, effectiveCount, estimate } from './estimates.js';
import type { Measure, ReleaseTally } from './release-tally.js';
import { alwaysValid, type Interval, newcombe, pooledVariance, Z95, zTest } from './tests.js';

interface MeasureSpec {
  readonly measure: Measure;
  readonly label: string;
  /**
   * `share`: of requests, 0 to 1. `mean`: any number. `fraction`: one from 0 to 1. `duration`: the mean of logarithms of
   * seconds.
   */
  readonly kind: 'share' | 'mean' | 'fraction' | 'duration';
  /** Which is better; `neither`: it is only worth knowing. */
  readonly better: 'less' | 'more' | 'neither';
}

const COMPARED: readonly MeasureSpec[] = [
  { measure: 'errors', label: 'error rate', kind: 'share', better: 'less' },
  { measure: 'thumbsUp', label: 'thumbs up', kind: 'share', better: 'more' },
  { measure: 'seconds', label: 'duration', kind: 'duration', better: 'less' },
  { measure: 'firstToken', label: 'first token', kind: 'duration', better: 'less' },
  { measure: 'answerTokens', label: 'answer tokens', kind: 'mean', better: 'neither' },
  { measure: 'repetition', label: 'repetition', kind: 'fraction', better: 'less' },
  { measure: 'refusals', label: 'refusals', kind: 'share', better: 'neither' },
];

export interface Comparison extends MeasureSpec {
  /** Shares, means, or the geometric mean in seconds. */
  readonly a: ComparedValue;
  readonly b: ComparedValue;
  /** b − a; of durations, the part by which b is longer: 0.1 for a tenth. */
  readonly difference: number;
  /** Of the difference, 95 %, for one look at the end. */
  readonly interval: Interval;
  /** Of one look at the end: the z-test, of shares with the pooled variance. */
  readonly p: number;
  /** However often one looks. */
  readonly alwaysValidP: number;
  /** `real`: `alwaysValidP` is below 0.05. `too_few`: less than 30 groups of users on one side. */
  readonly verdict: 'real' | 'not_shown' | 'too_few';
}

interface ComparedValue {
  readonly value: number;
  readonly count: number;
  readonly users: number;
}

/** Groups of users with which a mean is about normal. */
const ENOUGH = 30;
const LEVEL = 0.05;
/** Differences that are expected: of shares, of logarithms of durations, and of means in parts of the mean. */
const TAU = { share: 0.05, duration: 0.1, mean: 0.1 } as const;

/** Measures of which both have requests. */
export const compareReleases = (a: ReleaseTally, b: ReleaseTally): readonly Comparison[] =>
  COMPARED.flatMap((spec) => {
    const [one, other] = [estimate(a.groups(spec.measure)), estimate(b.groups(spec.measure))];
    return one.groups < 2 || other.groups < 2 ? [] : [compared(spec, one, other)];
  });

function compared(spec: MeasureSpec, a: Estimate, b: Estimate): Comparison {
  const { difference, interval, p, alwaysValidP } =
    spec.kind === 'share' ? ofShares(a, b) : ofMeans(spec.kind, a, b);
  const isEnough = Math.min(a.groups, b.groups) >= ENOUGH;
  const isDuration = spec.kind === 'duration';
  return {
    ...spec,
    a: measured(spec, a),
    b: measured(spec, b),
    difference: isDuration ? Math.expm1(difference) : difference,
    interval: isDuration ? { low: Math.expm1(interval.low), high: Math.expm1(interval.high) } : interval,
    p,
    alwaysValidP,
    verdict: !isEnough ? 'too_few' : alwaysValidP < LEVEL ? 'real' : 'not_shown',
  };
}

const measured = ({ kind }: MeasureSpec, { mean, count, groups }: Estimate): ComparedValue => ({
  value: kind === 'duration' ? Math.exp(mean) : mean,
  count,
  users: groups,
});

type Difference = Pick<Comparison, 'difference' | 'interval' | 'p' | 'alwaysValidP'>;

function ofShares(a: Estimate, b: Estimate): Difference {
  const one = { share: a.mean, count: effectiveCount(a) };
  const other = { share: b.mean, count: effectiveCount(b) };
  const difference = other.share - one.share;
  const variance = pooledVariance(one, other);
  return {
    difference,
    interval: newcombe(one, other),
    p: zTest(difference, variance),
    alwaysValidP: alwaysValid(difference, variance, TAU.share),
  };
}

function ofMeans(kind: Exclude<MeasureSpec['kind'], 'share'>, a: Estimate, b: Estimate): Difference {
  const difference = b.mean - a.mean;
  const variance = a.variance + b.variance;
  const half = Z95 * Math.sqrt(variance);
  const tau = kind === 'duration' ? TAU.duration : TAU.mean * Math.abs(a.mean);
  return {
    difference,
    interval: { low: difference - half, high: difference + half },
    p: zTest(difference, variance),
    alwaysValidP: alwaysValid(difference, variance, tau),
  };
}
