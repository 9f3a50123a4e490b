/** How many rows each source of a mix gives to the training split, and in which order they come. */

/** A source of the mix: its rows for training, and how much of it is wanted. The first is the stage's `source`. */
export interface MixPart {
  readonly rows: number;
  /** Share of the training split; the `source` itself fills what is left. */
  readonly share?: number;
  /** Times that each row is used, whatever the other sources have. */
  readonly epochs?: number;
}

export type StoppingStrategy = 'first_exhausted' | 'all_exhausted';
export const DEFAULT_STRATEGY: StoppingStrategy = 'first_exhausted';

/**
 * Rows that each part gives, repeated ones counted again. Parts with `epochs` give exactly those. The others give shares
 * of the whole split, whose size is then the largest at which no source with a share is repeated (`first_exhausted`), or
 * the smallest at which each is used up (`all_exhausted`), as in `interleave_datasets` of Hugging Face's `datasets`.
 * A part without rows gives none, and does not end the mix.
 */
export function mixRows(parts: readonly MixPart[], strategy: StoppingStrategy): readonly number[] {
  const fixed = parts.map(({ rows, epochs }) => (epochs === undefined ? 0 : Math.round(rows * epochs)));
  const given = sum(fixed);
  const rest = 1 - sum(parts.map(({ share }) => share ?? 0));
  const own = parts[0]?.rows ?? 0;
  const ends = parts.flatMap(({ rows, share }) =>
    share === undefined || share === 0 || rows === 0 ? [] : [rows / share],
  );
  if (own > 0) ends.push((own + given) / rest);
  if (ends.length === 0) return fixed;
  const isFirst = strategy === 'first_exhausted';
  // what `epochs` asks for has to fit into the part that no share asks for
  const size = Math.max(isFirst ? Math.min(...ends) : Math.max(...ends), given / rest);
  return parts.map(({ rows, share, epochs }, index) => {
    if (epochs !== undefined) return fixed[index] ?? 0;
    const wanted = nearlyWhole(share === undefined ? size * rest - given : size * share);
    if (rows === 0) return 0;
    return isFirst ? Math.min(rows, Math.floor(wanted)) : Math.ceil(wanted);
  });
}

/** A part that does not get what is written. */
interface Misfit {
  readonly part: number;
  readonly rows: number;
  /** Share of the split that it has, and the one that was asked for: `undefined` for the `source`, which fills what is left. */
  readonly has: number;
  readonly asked?: number;
}

/**
 * What the mix cannot give of what was asked: `epochs` that do not fit next to the shares under `first_exhausted` make the
 * split longer than a source with a share lasts, and leave no place for `source`; a part without rows gives nothing.
 * Rounding, which moves each part by less than a row, is no misfit.
 */
export function misfits(parts: readonly MixPart[], strategy: StoppingStrategy): readonly Misfit[] {
  const counts = mixRows(parts, strategy);
  const total = sum(counts);
  const hasEpochs = parts.some(({ epochs }) => epochs !== undefined);
  return parts.flatMap(({ rows, share, epochs }, part) => {
    const count = counts[part] ?? 0;
    const has = total === 0 ? 0 : count / total;
    if (part === 0) return hasEpochs && rows > 0 && count === 0 ? [{ part, rows, has }] : [];
    const isEmpty = rows === 0 && (share === undefined ? epochs !== undefined : share > 0);
    const isShort = share !== undefined && share * total - count > parts.length;
    return isEmpty || isShort ? [{ part, rows, has, ...(share === undefined ? {} : { asked: share }) }] : [];
  });
}

/** Whole numbers in proportion to `counts` that add up to `total`, which is smaller: largest remainders. */
export function scaled(counts: readonly number[], total: number): readonly number[] {
  const all = sum(counts);
  if (all <= total) return counts;
  const exact = counts.map((count) => (count * total) / all);
  const out = exact.map(Math.floor);
  const byRemainder = [...exact.keys()].sort(
    (a, b) => ((exact[b] ?? 0) % 1) - ((exact[a] ?? 0) % 1) || a - b,
  );
  for (const index of byRemainder.slice(0, total - sum(out))) out[index] = (out[index] ?? 0) + 1;
  return out;
}

/** 30% of 1000 rows are 300, and no rounding of a fraction makes it 299 or 301. */
const nearlyWhole = (value: number): number =>
  Math.abs(value - Math.round(value)) < 1e-6 ? Math.round(value) : value;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * The parts of the mix one row at a time, each spread evenly over the split: after any number of rows, none is further
 * from its share than a row or so. Yields indices into `counts`.
 */
export function* interleaved(counts: readonly number[]): Iterable<number> {
  const total = sum(counts);
  const taken = counts.map(() => 0);
  for (let place = 1; place <= total; place++) {
    let next = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (const [index, count] of counts.entries()) {
      const due = (count * place) / total - (taken[index] ?? 0);
      if ((taken[index] ?? 0) < count && due > most) [next, most] = [index, due];
    }
    taken[next] = (taken[next] ?? 0) + 1;
    yield next;
  }
}
