/** What rows are told apart by, one record after another: in memory, and in a file. */
import { discarded, MOST_DISCARDED } from '../../../compute/tensor/garbage.js';
import { FIRST_ROOM, outgrown } from './growing-array.js';
import type { Scratch } from './scratch.js';

/** Two halves of a hash of 96 bits. */
export type Hash = readonly [number, number];

/** Numbers of a record, before its keys: row, content, question (-1: none), and whether it has keys. */
const FIELDS = 6;
const [ROW, HIGH, LOW, ASKED_HIGH, ASKED_LOW, KEYED] = [0, 1, 2, 3, 4, 5] as const;

/** Records of rows; `keys` of each are what near copies share. */
export class RowRecords {
  count = 0;
  private readonly doubles: number;
  private numbers: Float64Array<ArrayBuffer>;
  /** The same memory. */
  words: Uint32Array<ArrayBuffer>;

  constructor(
    readonly keys: number,
    capacity = FIRST_ROOM,
  ) {
    this.doubles = recordBytes(keys) / 8;
    this.numbers = new Float64Array(capacity * this.doubles);
    this.words = new Uint32Array(this.numbers.buffer);
  }

  /** `keys`: none for a row that is near no other. */
  add(row: number, [high, low]: Hash, question: Hash | undefined, keys: Uint32Array | undefined): void {
    if ((this.count + 1) * this.doubles > this.numbers.length) this.grow();
    const [askedHigh, askedLow] = question ?? [-1, -1];
    this.numbers.set(
      [row, high, low, askedHigh, askedLow, keys === undefined ? 0 : 1],
      this.count * this.doubles,
    );
    if (keys !== undefined) this.words.set(keys, this.keysAt(this.count));
    this.count++;
  }

  clear(): void {
    this.count = 0;
  }

  row(record: number): number {
    return this.numbers[record * this.doubles + ROW] as number;
  }

  content(record: number): Hash {
    return this.pair(record, HIGH, LOW);
  }

  question(record: number): Hash | undefined {
    return (this.numbers[record * this.doubles + ASKED_LOW] as number) < 0
      ? undefined
      : this.pair(record, ASKED_HIGH, ASKED_LOW);
  }

  /** Where its keys begin in `words`; `undefined` if it has none. */
  keyed(record: number): number | undefined {
    return this.numbers[record * this.doubles + KEYED] === 1 ? this.keysAt(record) : undefined;
  }

  keysOf(record: number): Uint32Array | undefined {
    const at = this.keyed(record);
    return at === undefined ? undefined : this.words.subarray(at, at + this.keys);
  }

  /** Its bytes, which the next change may move. */
  bytes(record: number): Uint8Array {
    return new Uint8Array(this.numbers.buffer, 8 * record * this.doubles, 8 * this.doubles);
  }

  get recordBytes(): number {
    return 8 * this.doubles;
  }

  get memory(): number {
    return this.numbers.byteLength;
  }

  /** Takes a record of the same form. */
  copy(bytes: Uint8Array): void {
    if ((this.count + 1) * this.doubles > this.numbers.length) this.grow();
    new Uint8Array(this.numbers.buffer).set(bytes, this.count * this.recordBytes);
    this.count++;
  }

  /** Takes `count` records from a file instead of those that it has. */
  load(scratch: Scratch, place: number, count: number): void {
    scratch.read(place, new Uint8Array(this.numbers.buffer, 0, count * this.recordBytes));
    this.count = count;
  }

  /** All of them. */
  all(): Uint8Array {
    return new Uint8Array(this.numbers.buffer, 0, this.count * this.recordBytes);
  }

  private keysAt(record: number): number {
    return 2 * (record * this.doubles + FIELDS);
  }

  private pair(record: number, high: number, low: number): Hash {
    const at = record * this.doubles;
    return [this.numbers[at + high] as number, this.numbers[at + low] as number];
  }

  private grow(): void {
    const before = this.numbers;
    this.numbers = new Float64Array(before.length * 2);
    this.numbers.set(before);
    this.words = new Uint32Array(this.numbers.buffer);
    discarded(before.byteLength);
  }
}

const recordBytes = (keys: number): number => 8 * (FIELDS + Math.ceil(keys / 2));

/** What so many records take, and of the buffers that they outgrew those that are not collected yet. */
export const recordsBytes = (
  rows: number,
  keys: number,
): { readonly held: number; readonly outgrown: number } => ({
  held: recordBytes(keys) * rows,
  outgrown: Math.min(MOST_DISCARDED, recordBytes(keys) * outgrown(rows)),
});

/** Bytes of records that are written and read at once. */
const BLOCK = 1 << 20;

/** Of a file of records: those that wait to be written, and those that were read last. */
export const RECORD_FILE_BYTES = 2 * BLOCK;

/** Records in a file, in the order in which they were added. */
export class RecordFile {
  private readonly open: RowRecords;
  private readonly blocks: { readonly place: number; readonly count: number }[] = [];
  private readonly most: number;

  constructor(
    private readonly scratch: Scratch,
    readonly keys: number,
  ) {
    this.open = new RowRecords(keys, 1);
    this.most = Math.max(1, Math.floor(BLOCK / this.open.recordBytes));
  }

  add(record: Uint8Array): void {
    this.open.copy(record);
    if (this.open.count >= this.most) this.flush();
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0 && this.open.count === 0;
  }

  /** Some at a time, in memory that the next ones take. */
  *some(): Iterable<RowRecords> {
    const read = new RowRecords(this.keys, this.blocks.length === 0 ? 1 : this.most);
    for (const { place, count } of this.blocks) {
      read.load(this.scratch, place, count);
      yield read;
    }
    if (this.open.count > 0) yield this.open;
  }

  private flush(): void {
    this.blocks.push({ place: this.scratch.add(this.open.all()), count: this.open.count });
    this.open.clear();
  }
}
