/** Groups of rows in the order of their hashes, some at a time. */
import { GrowingArray } from './growing-array.js';
import type { Group } from './split.js';

export interface GroupedRows {
  readonly count: number;
  /** The hash of the row's group in [0, 1); below 0 if it is in none. */
  readonly order: (row: number) => number;
  /** Whether it counts; what is asked of few rows at a time. */
  readonly isMember: (row: number) => boolean;
  /** Default: all are of one. */
  readonly stratum?: (row: number) => number;
}

/** Hashes are spread evenly, so that a part of their range has as many groups as another. */
export class GroupOrder {
  private readonly parts: number;
  /** Hashes of a part; those of the next take the same memory. */
  private readonly orders = GrowingArray.doubles();

  /** `most`: rows of a part, about. */
  constructor(
    private readonly rows: GroupedRows,
    most: number,
  ) {
    this.parts = Math.max(1, Math.ceil(rows.count / most));
  }

  /** All groups, ascending; a group is of the stratum of its first row. */
  *[Symbol.iterator](): Iterator<Group> {
    const { stratum } = this.rows;
    for (let part = 0; part < this.parts; part++)
      if (stratum === undefined) yield* this.sizesOf(part);
      else yield* [...this.groupsOf(part, stratum).values()].sort((a, b) => a.order - b.order);
  }

  /** Rows of every part, each with its group. */
  *members(): Iterable<{ readonly row: number; readonly group: Group }> {
    const { stratum = () => 0 } = this.rows;
    for (let part = 0; part < this.parts; part++) {
      const groups = this.groupsOf(part, stratum);
      for (const row of this.rowsOf(part)) {
        const group = groups.get(this.rows.order(row));
        if (group !== undefined) yield { row, group };
      }
    }
  }

  /** Without an object for each group. */
  private *sizesOf(part: number): Iterable<Group> {
    const { orders } = this;
    orders.clear();
    orders.reserve(Math.ceil(this.rows.count / this.parts));
    for (const row of this.rowsOf(part)) orders.push(this.rows.order(row));
    const sorted = orders.view().sort();
    for (let from = 0; from < sorted.length; ) {
      const order = sorted[from] as number;
      let to = from + 1;
      while (to < sorted.length && sorted[to] === order) to++;
      yield { order, rows: to - from, stratum: 0 };
      from = to;
    }
  }

  private groupsOf(part: number, stratum: (row: number) => number): ReadonlyMap<number, Group> {
    const groups = new Map<number, { order: number; rows: number; stratum: number }>();
    for (const row of this.rowsOf(part)) {
      const order = this.rows.order(row);
      const known = groups.get(order);
      if (known === undefined) groups.set(order, { order, rows: 1, stratum: stratum(row) });
      else known.rows++;
    }
    return groups;
  }

  private *rowsOf(part: number): Iterable<number> {
    const { count, order, isMember } = this.rows;
    const [from, to] = [part / this.parts, (part + 1) / this.parts];
    for (let row = 0; row < count; row++) {
      const at = order(row);
      if (at >= from && at < to && isMember(row)) yield row;
    }
  }
}
