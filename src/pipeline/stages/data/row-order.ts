/**
 * Which rows are taken where not all are: the lowest in an order that their content and the seed decide. Of no row is
 * anything held.
 */
import { unitHash } from './hashes.js';
import type { RowTable } from './row-table.js';
import { doubles } from './scratch.js';

/** A place in [0, 1), a whole multiple of {@link FINEST}. */
export type Order = (row: number) => number;

/** Hashes have 48 bits. */
const FINEST = 2 ** -48;

const UNKNOWN = -1;

/** Hashes are made once, and then read from a column. */
export function orderIn(table: RowTable, seed: number): Order {
  const places = table.column(doubles, UNKNOWN);
  return (row) => {
    const known = places.get(row);
    if (known !== UNKNOWN) return known;
    const place = unitHash(seed, table.content(row).join(' '));
    places.set(row, place);
    return place;
  };
}

/** Ascending, and the same ones whenever they are asked for, until some are dropped. */
export type Rows = () => Iterable<number>;

/** The rows that are kept, of those asked for. */
export const keptRows = (table: RowTable, isAsked: (row: number) => boolean): Rows =>
  function* kept() {
    for (const row of table.kept()) if (isAsked(row)) yield row;
  };

interface Choice {
  readonly rows: Rows;
  readonly order: Order;
  /** Rows that each group gives at most. */
  readonly quotas: readonly number[];
  /** Default: all are of one group. */
  readonly groupOf?: (row: number) => number;
}

/** Counters of all groups together, four bytes each, and the most that one group has. */
const COUNTERS = 1 << 20;
const MOST_COUNTERS = 1 << 16;

/**
 * Whether a row is among the lowest of its group, rows of one place in their own order. The place of the last one that is taken is
 * narrowed down digit by digit: each pass over the rows counts them by the next digit.
 */
export function lowest({ rows, order, quotas, groupOf = () => 0 }: Choice): (row: number) => boolean {
  const digits = Math.max(2, Math.min(MOST_COUNTERS, 2 ** Math.floor(Math.log2(COUNTERS / quotas.length))));
  const bounds = quotas.map((quota) => new Bound(quota));
  const counts = new Uint32Array(quotas.length * digits);
  const openAt = (row: number): Bound | undefined => {
    const bound = bounds[groupOf(row)];
    return bound?.isOpen === true ? bound : undefined;
  };
  const isAnyOpen = (): boolean => bounds.some(({ isOpen }) => isOpen);
  for (let width = 1; width > FINEST && isAnyOpen(); width /= digits) {
    counts.fill(0);
    for (const row of rows()) {
      const bound = openAt(row);
      if (bound === undefined) continue;
      const digit = Math.floor(((order(row) - bound.place) / width) * digits);
      const counter = groupOf(row) * digits + digit;
      if (digit >= 0 && digit < digits) counts[counter] = (counts[counter] ?? 0) + 1;
    }
    for (const [group, bound] of bounds.entries())
      if (bound.isOpen) bound.narrow(counts.subarray(group * digits, (group + 1) * digits), width / digits);
  }
  if (isAnyOpen())
    for (const row of rows()) {
      const bound = openAt(row);
      if (bound !== undefined && order(row) === bound.place) bound.share(row);
    }
  return (row) => bounds[groupOf(row)]?.includes(order(row), row) ?? false;
}

/** Up to where rows of a group are taken. */
class Bound {
  /** Rows before it are taken; while it is open, the last one that is taken is in the range that begins here. */
  place = 0;
  isOpen: boolean;
  /** The last one that is taken of the rows at it. */
  private last = -1;

  /** `left`: rows that are still to be taken from {@link Bound.place} on. */
  constructor(private left: number) {
    this.isOpen = left > 0;
  }

  /** `counts`: rows of each part of the range, the parts being so wide. */
  narrow(counts: Uint32Array, width: number): void {
    let part = 0;
    while (part < counts.length && (counts[part] ?? 0) < this.left) this.left -= counts[part++] ?? 0;
    this.place += part * width;
    // all rows of the part are taken, or all of the group
    this.isOpen = part < counts.length && counts[part] !== this.left;
    if (!this.isOpen && part < counts.length) this.place += width;
  }

  /** A row at the place, which is one number by now. */
  share(row: number): void {
    this.last = row;
    this.isOpen = --this.left > 0;
  }

  includes(place: number, row: number): boolean {
    return place < this.place || (place === this.place && row <= this.last);
  }
}
