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

/**
 * As {@link assignSplits}, with the same shares of each stratum, to within a row where no group has several: of every split,
 * each stratum gets its whole rows, and what is missing to the split's size goes to the strata of the largest remainders.
 * `strata[i]` is the number of group i's. Groups without rows are for training.
 */
export function assignStratified(
  order: ArrayLike<number>,
  sizes: ArrayLike<number>,
  strata: ArrayLike<number>,
  shares: Shares,
): Uint8Array<ArrayBuffer> {
  const members: number[][] = [];
  for (let group = 0; group < order.length; group++)
    if ((sizes[group] ?? 0) > 0) {
      const stratum = strata[group] ?? 0;
      const known = members[stratum];
      if (known === undefined) members[stratum] = [group];
      else known.push(group);
    }
  for (const groups of members) groups?.sort((a, b) => (order[a] ?? 0) - (order[b] ?? 0) || a - b);
  const rows = Array.from(members, (groups) => rowsIn(groups ?? [], sizes));
  const left = [...rows];
  const out = new Uint8Array(order.length);
  for (const name of ['test', 'valid'] as const) {
    if (shares[name] === 0) continue;
    const quotas = stratumQuotas(rows, left, shares, name);
    for (const [stratum, groups] of members.entries()) {
      const quota = quotas[stratum] ?? 0;
      const free = (groups ?? []).filter((group) => out[group] === 0);
      if (quota === 0) continue;
      const taken = fill(free, sizes, quota, spare(name, free.length, shares));
      for (const group of taken) out[group] = splitNames.indexOf(name);
      left[stratum] = (left[stratum] ?? 0) - rowsIn(taken, sizes);
    }
  }
  return out;
}

const rowsIn = (groups: readonly number[], sizes: ArrayLike<number>): number =>
  groups.reduce((sum, group) => sum + (sizes[group] ?? 0), 0);

/**
 * Rows of each stratum for a split: as few as keep this split, and what is left for training, within a row of its share,
 * and what is then missing to the size of the split by largest remainders. What is trained on keeps a row of each.
 * `left`: rows that no split has taken yet.
 */
function stratumQuotas(
  rows: readonly number[],
  left: readonly number[],
  shares: Shares,
  name: 'test' | 'valid',
): readonly number[] {
  const exact = rows.map((count) => count * shares[name]);
  const taken = rows.map((count, stratum) => count - (left[stratum] ?? 0));
  const heldOut = rows.map((count) => count * (name === 'test' ? shares.test : shares.test + shares.valid));
  const most = rows.map((_, stratum) =>
    Math.min(
      upTo(exact[stratum] ?? 0),
      upTo(heldOut[stratum] ?? 0) - (taken[stratum] ?? 0),
      Math.max(0, (left[stratum] ?? 0) - (shares.train > 0 ? 1 : 0)),
    ),
  );
  const quotas = exact.map((count, stratum) =>
    Math.max(
      0,
      Math.min(
        Math.max(downTo(count), downTo(heldOut[stratum] ?? 0) - (taken[stratum] ?? 0)),
        most[stratum] ?? 0,
      ),
    ),
  );
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  let missing = Math.round(sum(exact)) - sum(quotas);
  const remainder = (stratum: number): number => (exact[stratum] ?? 0) - (quotas[stratum] ?? 0);
  for (const stratum of [...rows.keys()].sort((a, b) => remainder(b) - remainder(a) || a - b)) {
    if (missing <= 0) break;
    if ((quotas[stratum] ?? 0) >= (most[stratum] ?? 0)) continue;
    quotas[stratum] = (quotas[stratum] ?? 0) + 1;
    missing--;
  }
  return quotas;
}

/** 10% of 30 rows are 3, whatever a fraction comes to. */
const downTo = (count: number): number => Math.floor(count + 1e-9);
const upTo = (count: number): number => Math.ceil(count - 1e-9);

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
