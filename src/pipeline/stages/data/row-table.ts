import type { DropReason } from '../row-report.js';
import type { Hash } from './row-records.js';
import {
  bytes,
  Column,
  doubles,
  heldRows,
  integers,
  type RowMemory,
  type Scratch,
  TextColumn,
} from './scratch.js';

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

/** Of a row that no split asks for. */
const NO_GROUP = -1;

/** An overlap in hundredths, of those that are less than the whole. */
const WHOLE = 255;

/** Of a row in the columns that every row has: where it is, its content, its group and its split. */
const USUAL_BYTES = 4 + 4 + 8 + 4 + 8 + 8 + 8 + 1;

/** Memory of the columns of so many rows. */
export const columnBytes = (rows: number): number => USUAL_BYTES * heldRows(rows);

/** A row for each line, in columns: places instead of texts, of which the last that were used are in memory. */
export class RowTable {
  count = 0;
  readonly file: Column;
  readonly line: Column;
  readonly offset: Column;
  readonly length: Column;
  /** Two halves of the hash of the content. */
  private readonly high: Column;
  private readonly low: Column;
  /** The hash of the group that a split keeps together, in [0, 1). */
  readonly order: Column;
  readonly split: Column;
  /** The row that it repeats or contradicts. */
  readonly other: Column;
  /** Overlap with that row, in hundredths. */
  private readonly overlaps: Column;
  private readonly fateCode: Column;
  private readonly columns: Column[] = [];
  /** Only where no other column says it. */
  readonly details: TextColumn;

  constructor(
    readonly scratch: Scratch,
    private readonly memory: Pick<RowMemory, 'pages'>,
  ) {
    this.file = this.column();
    this.line = this.column();
    this.offset = this.column(doubles);
    this.length = this.column();
    this.high = this.column(doubles);
    this.low = this.column(doubles);
    this.order = this.column(doubles, NO_GROUP);
    this.split = this.column(bytes);
    this.other = this.column(integers, NONE);
    this.overlaps = this.column(bytes, WHOLE);
    this.fateCode = this.column(bytes);
    this.details = new TextColumn(scratch, memory.pages);
  }

  /** A further number of each row. */
  column(make: ConstructorParameters<typeof Column>[2] = integers, empty = 0): Column {
    const made = new Column(this.scratch, this.memory.pages, make, empty);
    this.columns.push(made);
    return made;
  }

  add(file: number, line: number, offset: number, length: number): number {
    const row = this.count++;
    this.file.set(row, file);
    this.line.set(row, line);
    this.offset.set(row, offset);
    this.length.set(row, length);
    return row;
  }

  content(row: number): Hash {
    return [this.high.get(row), this.low.get(row)];
  }

  setContent(row: number, [high, low]: Hash): void {
    this.high.set(row, high);
    this.low.set(row, low);
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
    if (overlap > 0 && overlap < 1) this.overlaps.set(row, Math.round(overlap * 100));
  }

  /** In hundredths; `undefined` for an equal row. */
  overlap(row: number): number | undefined {
    const overlap = this.overlaps.get(row);
    return overlap === WHOLE ? undefined : overlap;
  }

  /** Memory that its columns take. */
  get bytes(): number {
    return this.columns.reduce((sum, column) => sum + column.bytes, 0);
  }

  *kept(): Iterable<number> {
    for (let row = 0; row < this.count; row++) if (this.is(row, 'kept')) yield row;
  }
}
