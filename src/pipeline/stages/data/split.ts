export const splitNames = ['train', 'valid', 'test'] as const;
export type SplitName = (typeof splitNames)[number];

/** Shares of the rows; they add up to 1. */
export type Shares = Readonly<Record<SplitName, number>>;

/** Rows that a split keeps together. */
export interface Group {
  /** Its hash in [0, 1) (see `unitHash`), which tells it from others. */
  readonly order: number;
  readonly rows: number;
  readonly stratum: number;
}

/** Groups in the order of their hashes, each time that they are walked. */
export type Groups = Iterable<Group>;

/** The split of a group, as an index into {@link splitNames}. */
type SplitOf = (group: Pick<Group, 'order' | 'stratum'>) => number;

/** Splits that are filled before training gets the rest, in this order. */
const HELD_OUT = ['test', 'valid'] as const;
type HeldOut = (typeof HELD_OUT)[number];

/**
 * Gives each group a split. Groups are taken in the order of their hashes: test fills up first, then valid, and what
 * fits into neither is for training, so large groups are trained on and the shares are met to within the smallest
 * groups. A group of low hash stays in test when rows are added to others. A split with a share gets at least one
 * group where there are enough of them. All groups are of stratum 0.
 */
export const assignSplits = (groups: Groups, shares: Shares): SplitOf =>
  assign(groups, shares, ([rows = 0], _, name) => [Math.round(rows * shares[name])]);

/**
 * As {@link assignSplits}, with the same shares of each stratum, to within a row where no group has several: of every split,
 * each stratum gets its whole rows, and what is missing to the split's size goes to the strata of the largest remainders.
 */
export const assignStratified = (groups: Groups, shares: Shares): SplitOf =>
  assign(groups, shares, (rows, left, name) =>
    stratumQuotas(rows, left, shares, name).map((quota) => (quota === 0 ? undefined : quota)),
  );

/** `quotasOf`: rows that a split takes of each stratum, of all that it has and of those left; `undefined` for none. */
function assign(
  groups: Groups,
  shares: Shares,
  quotasOf: (
    rows: readonly number[],
    left: readonly number[],
    name: HeldOut,
  ) => readonly (number | undefined)[],
): SplitOf {
  const { rows, counts } = countStrata(groups);
  const left = [...rows];
  const filled = new Map<HeldOut, readonly (Fill | undefined)[]>();
  const splitOf: SplitOf = ({ order, stratum }) => {
    for (const [name, fills] of filled) if (fills[stratum]?.has(order)) return splitNames.indexOf(name);
    return 0;
  };
  for (const name of HELD_OUT) {
    if (shares[name] === 0) continue;
    const fills = quotasOf(rows, left, name).map((quota, stratum) =>
      quota === undefined ? undefined : new Fill(quota, spare(name, counts[stratum] ?? 0, shares)),
    );
    fillAll(groups, fills, splitOf);
    filled.set(name, fills);
    for (const [stratum, fill] of fills.entries()) {
      left[stratum] = (left[stratum] ?? 0) - (fill?.rows ?? 0);
      counts[stratum] = (counts[stratum] ?? 0) - (fill?.groups ?? 0);
    }
  }
  return splitOf;
}

/** Rows and groups of each stratum. */
function countStrata(groups: Groups): { readonly rows: readonly number[]; readonly counts: number[] } {
  const rows: number[] = [];
  const counts: number[] = [];
  for (const group of groups) {
    while (rows.length <= group.stratum) {
      rows.push(0);
      counts.push(0);
    }
    rows[group.stratum] = (rows[group.stratum] ?? 0) + group.rows;
    counts[group.stratum] = (counts[group.stratum] ?? 0) + 1;
  }
  return { rows, counts };
}

/** Offers the groups that no split has yet; a second time where what was missing is to be found. */
function fillAll(groups: Groups, fills: readonly (Fill | undefined)[], splitOf: SplitOf): void {
  let open = fills.filter((fill) => fill?.isFull === false).length;
  if (open > 0)
    for (const group of groups) {
      const fill = fills[group.stratum];
      if (fill === undefined || fill.isFull || splitOf(group) !== 0) continue;
      fill.offer(group);
      if (fill.isFull && --open === 0) break;
    }
  const missing = fills.map((fill) => (fill?.isMet === false ? fill : undefined));
  if (missing.every((fill) => fill === undefined)) return;
  for (const group of groups) if (splitOf(group) === 0) missing[group.stratum]?.consider(group);
  for (const fill of missing) fill?.end();
}

/** What a split takes of a stratum: the groups that fit, in their order, as runs of those that follow one another. */
class Fill {
  rows = 0;
  groups = 0;
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private inRun = false;
  /** Taken besides. */
  private added: number | undefined;
  /** Of those that were not taken, the one whose size comes closest to what is missing, and the smallest. */
  private closest: Group | undefined;
  private smallest: Group | undefined;

  constructor(
    private readonly quota: number,
    private readonly most: number,
  ) {}

  get isFull(): boolean {
    return this.groups >= this.most || this.rows >= this.quota;
  }

  /** Nothing is missing that could be added. */
  get isMet(): boolean {
    return this.groups >= this.most || (this.rows === this.quota && this.rows > 0);
  }

  has(order: number): boolean {
    if (order === this.added) return true;
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.starts[middle] as number) <= order) low = middle + 1;
      else high = middle;
    }
    return low > 0 && order <= (this.ends[low - 1] as number);
  }

  /** A group that is not taken yet, after those that were offered. */
  offer({ order, rows }: Group): void {
    const fits = this.rows + rows <= this.quota;
    if (fits) {
      if (!this.inRun) this.starts.push(order);
      this.ends[this.starts.length - 1] = order;
      this.rows += rows;
      this.groups++;
    }
    this.inRun = fits;
  }

  consider(group: Group): void {
    if (this.has(group.order)) return;
    const off = ({ rows }: Group): number => Math.abs(rows - (this.quota - this.rows));
    if (this.closest === undefined || off(group) < off(this.closest)) this.closest = group;
    if (this.smallest === undefined || group.rows < this.smallest.rows) this.smallest = group;
  }

  end(): void {
    const { closest, quota, rows } = this;
    if (closest === undefined) return;
    const missing = quota - rows;
    if (Math.abs(closest.rows - missing) < missing) this.take(closest);
    else if (this.groups === 0) this.take(this.smallest ?? closest);
  }

  private take({ order, rows }: Group): void {
    this.added = order;
    this.rows += rows;
    this.groups++;
  }
}

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
