/** Runs of `n` neighbours, and what two texts share of them. */

/** How often each occurs. */
export type Counts = ReadonlyMap<string, number>;

/** `between`: what no item contains. */
export function ngrams(items: readonly (string | number)[], n: number, between = ' '): Counts {
  const counts = new Map<string, number>();
  for (let start = 0; start + n <= items.length; start++) {
    const ngram = items.slice(start, start + n).join(between);
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/** Of the smaller count of each that both have. */
export function sharedCount(a: Counts, b: Counts): number {
  let shared = 0;
  for (const [item, count] of a) shared += Math.min(count, b.get(item) ?? 0);
  return shared;
}

/** How many there are of `length` items. */
export const ngramTotal = (length: number, n: number): number => Math.max(0, length - n + 1);

/** Harmonic mean of `shared` ÷ `found` and `shared` ÷ `expected`. */
export const f1Of = (shared: number, found: number, expected: number): number => {
  if (shared === 0) return 0;
  const precision = shared / found;
  const recall = shared / expected;
  return (2 * precision * recall) / (precision + recall);
};
