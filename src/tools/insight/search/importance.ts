/** How much each matrix mattered for what the trials of a search came to. */

/** Of a matrix. */
export interface Importance {
  readonly matrix: string;
  /** Of the variance of the trials' ranks, the share that goes with the values of the matrix: 0 to 1. */
  readonly share: number;
  /** Of numbers: whether larger ones went with a higher outcome; left out for choices. */
  readonly rises?: boolean;
  /** How often as much would come of values that are dealt out at random. */
  readonly chance: number;
}

export interface TrialPoint {
  readonly at: Readonly<Record<string, unknown>>;
  readonly outcome: number;
}

/** Fewer trials say nothing about a matrix. */
export const FEWEST = 5;
/** What would come of chance less often than this is believed. */
export const BELIEVED = 0.05;
/** Permutations of the values over the trials, which say what comes of chance. */
const DEALS = 2000;

/**
 * Of numbers, the square of Spearman's rank correlation; of choices, the part of the variance of ranks that is between them (the
 * H of Kruskal and Wallis, over the number of trials less one). Most important first; none where there are too few trials.
 */
export function importanceOf(points: readonly TrialPoint[]): readonly Importance[] {
  if (points.length < FEWEST) return [];
  const outcomes = ranksOf(points.map(({ outcome }) => outcome));
  return Object.keys(points[0]?.at ?? {})
    .filter((matrix) => new Set(points.map(({ at }) => JSON.stringify(at[matrix]))).size > 1)
    .map((matrix) => measured(matrix, points, outcomes))
    .sort((a, b) => b.share - a.share);
}

function measured(matrix: string, points: readonly TrialPoint[], outcomes: readonly number[]): Importance {
  const values = points.map(({ at }) => at[matrix]);
  const numbers = values.every((value) => typeof value === 'number') ? ranksOf(values) : undefined;
  const groups = values.map((value) => JSON.stringify(value));
  const shareOf = (dealt: readonly number[]): number =>
    numbers === undefined ? between(groups, dealt) : correlation(numbers, dealt) ** 2;
  const share = shareOf(outcomes);
  const deal = dealer();
  let asMuch = 0;
  for (let times = 0; times < DEALS; times++) if (shareOf(deal(outcomes)) >= share - 1e-12) asMuch++;
  return {
    matrix,
    share,
    ...(numbers === undefined ? {} : { rises: correlation(numbers, outcomes) > 0 }),
    chance: (asMuch + 1) / (DEALS + 1),
  };
}

/** From 1; equal values share the mean of their places. */
export function ranksOf(values: readonly number[]): readonly number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 + 1);
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Pearson's, of ranks: Spearman's. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, squaredA, squaredB] = [0, 0, 0];
  for (const [index, value] of a.entries()) {
    const [fromA, fromB] = [value - meanA, (b[index] ?? 0) - meanB];
    both += fromA * fromB;
    squaredA += fromA ** 2;
    squaredB += fromB ** 2;
  }
  return squaredA === 0 || squaredB === 0 ? 0 : both / Math.sqrt(squaredA * squaredB);
}

/** The sum of squares between groups over that in all. */
function between(groups: readonly string[], values: readonly number[]): number {
  const all = mean(values);
  const total = values.reduce((sum, value) => sum + (value - all) ** 2, 0);
  const apart = [...grouped(groups, values).values()].reduce(
    (sum, group) => sum + group.length * (mean(group) - all) ** 2,
    0,
  );
  return total === 0 ? 0 : apart / total;
}

function grouped(groups: readonly string[], values: readonly number[]): ReadonlyMap<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [index, group] of groups.entries()) {
    const list = found.get(group) ?? [];
    list.push(values[index] ?? 0);
    found.set(group, list);
  }
  return found;
}

/** Deals values out in another order each time, and in the same orders each time it is made. */
function dealer(): (values: readonly number[]) => readonly number[] {
  let state = 17;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return (values) => {
    const dealt = [...values];
    for (let last = dealt.length - 1; last > 0; last--) {
      const other = next(last + 1);
      [dealt[last], dealt[other]] = [dealt[other] ?? 0, dealt[last] ?? 0];
    }
    return dealt;
  };
}
