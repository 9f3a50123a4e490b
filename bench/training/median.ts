export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Medians over repeats, field by field. */
export function middle<M extends Readonly<Record<keyof M, number>>>(all: readonly M[]): M | undefined {
  const [first] = all;
  if (first === undefined) return undefined;
  const names = Object.keys(first) as (keyof M)[];
  return Object.fromEntries(names.map((name) => [name, median(all.map((one) => one[name]))])) as M;
}
