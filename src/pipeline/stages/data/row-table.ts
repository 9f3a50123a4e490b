import type { DropReason } from '../row-report.js';
import { GrowingArray } from './growing-array.js';

/** What has become of a row; `kept` until something is found, `passed`: not taken (a limit, a mix), so not counted. */
const fates = [
  'kept',
  'passed',
  'malformed',
  'missing_column',
  'wrong_type',
  'empty',
  'outlier',
  'unbalanced',
  'duplicate',
  'near_duplicate',
  'contradiction',
  'leak',
] as const satisfies readonly (DropReason | 'kept' | 'passed')[];
type Fate = (typeof fates)[number];

const CODES = Object.fromEntries(fates.map((fate, code) => [fate, code])) as Readonly<Record<Fate, number>>;

/** No row: what `other` holds where a row has no counterpart. */
export const NONE = 0xffffffff;

/** A row for each line, in columns: places instead of texts, so that a million rows fit into about 60 MB. */
export class RowTable {
  readonly file = GrowingArray.integers();
  readonly line = GrowingArray.integers();
  readonly offset = GrowingArray.doubles();
  readonly length = GrowingArray.integers();
  /** Two halves of the hash of the content. */
  readonly high = GrowingArray.doubles();
  readonly low = GrowingArray.doubles();
  readonly group = GrowingArray.integers();
  readonly split = GrowingArray.bytes();
  /** The row that it repeats or contradicts. */
  readonly other = GrowingArray.integers();
  /** Overlap with that row, of near copies alone. */
  private readonly overlaps = new Map<number, number>();
  private readonly more: GrowingArray<Uint32Array<ArrayBuffer>>[] = [];
  private readonly fateCode = GrowingArray.bytes();
  /** Only where no other column says it. */
  readonly details = new Map<number, string>();

  /** A further number of each row that is added from now on. */
  column(): GrowingArray<Uint32Array<ArrayBuffer>> {
    const made = GrowingArray.integers();
    this.more.push(made);
    return made;
  }

  get count(): number {
    return this.file.length;
  }

  add(file: number, line: number, offset: number, length: number): number {
    this.line.push(line);
    this.offset.push(offset);
    this.length.push(length);
    for (const column of [this.high, this.low, this.group, this.split, this.fateCode, ...this.more])
      column.push(0);
    this.other.push(NONE);
    return this.file.push(file);
  }

  fate(row: number): Fate {
    return fates[this.fateCode.get(row)] ?? 'kept';
  }

  is(row: number, fate: Fate): boolean {
    return this.fateCode.get(row) === CODES[fate];
  }

  drop(row: number, fate: Exclude<Fate, 'kept'>, detail?: string): void {
    this.fateCode.set(row, CODES[fate]);
    if (detail !== undefined) this.details.set(row, detail);
  }

  /** Dropped for what it shares with another row. */
  dropFor(row: number, fate: Exclude<Fate, 'kept'>, other: number, overlap = 0): void {
    this.fateCode.set(row, CODES[fate]);
    this.other.set(row, other);
    if (overlap > 0 && overlap < 1) this.overlaps.set(row, overlap);
  }

  /** 1 for an equal row. */
  overlap(row: number): number {
    return this.overlaps.get(row) ?? 1;
  }

  /** Memory that its columns take. */
  get bytes(): number {
    const { file, line, offset, length, high, low, group, split, other, fateCode, more } = this;
    const columns = [file, line, offset, length, high, low, group, split, other, fateCode, ...more];
    return columns.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  *kept(): Iterable<number> {
    for (let row = 0; row < this.count; row++) if (this.is(row, 'kept')) yield row;
  }
}
