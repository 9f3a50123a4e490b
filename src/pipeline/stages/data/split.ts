export const splitNames = ['train', 'valid', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

/** Shares of the rows; they add up to 1. */
export type Shares = Readonly<Record<SplitName, number>>;

/**
 * Gives each group a split. Groups are taken in the order of their hashes: test fills up first, then valid, and what
 * fits into neither is for training, so large groups are trained on and the shares are met to within the smallest
 * groups. A group of low hash stays in test when rows are added to others. A split with a share gets at least one
 * group where there are enough of them.
 *
 * `order[i]` is the hash of group i in [0, 1) (see `unitHash`), `sizes[i]` its rows. Returns an index into
 * {@link splitNames} for each group.
 */
export function assignSplits(
  order: ArrayLike<number>,
  sizes: ArrayLike<number>,
  shares: Shares,
): Uint8Array<ArrayBuffer> {
  const groups = Array.from({ length: order.length }, (_, i) => i);
  groups.sort((a, b) => (order[a] ?? 0) - (order[b] ?? 0) || a - b);
  const total = groups.reduce((sum, group) => sum + (sizes[group] ?? 0), 0);
  const out = new Uint8Array(order.length);
  const taken = new Set<number>();
  const wanted = (['test', 'valid'] as const).filter((name) => shares[name] > 0);
  for (const name of wanted) {
    const free = groups.filter((group) => !taken.has(group));
    const quota = Math.round(total * shares[name]);
    for (const group of fill(free, sizes, quota, spare(name, free.length, shares))) {
      taken.add(group);
      out[group] = splitNames.indexOf(name);
    }
  }
  return out;
}

/** How many of the free groups a split may take, so that every later one still finds one. */
function spare(name: 'test' | 'valid', free: number, shares: Shares): number {
  const later = (name === 'test' && shares.valid > 0 ? 1 : 0) + (shares.train > 0 ? 1 : 0);
  return Math.max(0, free - later);
}

function fill(
  free: readonly number[],
  sizes: ArrayLike<number>,
  quota: number,
  most: number,
): readonly number[] {
  const chosen = new Set<number>();
  let rows = 0;
  for (const group of free) {
    if (chosen.size >= most || rows >= quota) break;
    const size = sizes[group] ?? 0;
    if (rows + size > quota) continue;
    chosen.add(group);
    rows += size;
  }
  if (chosen.size >= most || (rows === quota && rows > 0)) return [...chosen];
  const rest = free.filter((group) => !chosen.has(group));
  const closest = nearest(rest, sizes, quota - rows);
  if (closest === undefined) return [...chosen];
  const off = Math.abs((sizes[closest] ?? 0) - (quota - rows));
  if (off < quota - rows) return [...chosen, closest];
  return chosen.size > 0 ? [...chosen] : [nearest(rest, sizes, 0) ?? closest];
}

/** The first group whose size comes closest. */
function nearest(groups: readonly number[], sizes: ArrayLike<number>, size: number): number | undefined {
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const group of groups) {
    const off = Math.abs((sizes[group] ?? 0) - size);
    if (off < least) [best, least] = [group, off];
  }
  return best;
}
