/** Rows that are compared with others, so many at a time that memory does not grow with the rows. */

import { outgrown } from '../growing-array.js';
import { HashTable, KEY_BYTES, tableBytes } from '../hashes.js';
import { type Hash, RowRecords, recordsBytes } from '../row-records.js';
import { NONE } from '../row-table.js';
import type { RowMemory } from '../scratch.js';
import { BandIndex, indexBytes } from './band-index.js';
import type { NearCopies } from './near-copies.js';

/** Which row, and how much of both they have in common. */
interface NearCopy {
  readonly of: number;
  readonly overlap: number;
}

/** Rows that are compared at once, where each has so many keys. */
export const blockRows = ({ rows, keys }: RowMemory, ofRow: number): number =>
  Math.max(1, Math.min(rows, Math.floor(keys / Math.max(1, ofRow))));

/** What a block of so many rows takes when others were met, each with so many keys; `asking` of them have a question. */
export function blockBytes(rows: number, keys: number, asking = rows): number {
  const records = recordsBytes(rows, keys);
  const found = 4 + 8 + 4;
  const signed = keys === 0 ? 0 : indexBytes(keys * rows) + tableBytes(rows) + KEY_BYTES * outgrown(rows);
  return (
    records.held +
    records.outgrown +
    (tableBytes(rows) + tableBytes(asking)) +
    found * rows +
    filterBytes(rows) +
    signed
  );
}

/** A block of rows, and what rows that are not in it have in common with them. */
export class RowBlock {
  readonly records: RowRecords;
  /** By content and by question, the first of the rows that were met which has it. */
  readonly contents = new HashTable();
  readonly questions = new HashTable();
  private readonly index: BandIndex;
  /** The first record of each content, whose keys are those of the others. */
  private readonly signed = new HashTable();
  private readonly asked = new HashFilter();
  private readonly most: number;
  /** Of each record the first row met that it is a near copy of, how much of it, and the last one that it was compared with. */
  private copyOf = new Uint32Array(0);
  private overlaps = new Float64Array(0);
  private compared = new Uint32Array(0);
  private met = NONE;

  constructor(
    private readonly near: NearCopies | undefined,
    memory: RowMemory,
  ) {
    const count = near?.bands.count ?? 0;
    this.records = new RowRecords(count);
    this.index = new BandIndex(this.records);
    this.most = blockRows(memory, count);
  }

  get isFull(): boolean {
    return this.records.count >= this.most;
  }

  /** `text` is what near copies are told by. */
  add(row: number, content: Hash, question: Hash | undefined, text: () => string): void {
    const { near, records, signed } = this;
    const same = near === undefined ? undefined : signed.get(...content);
    const keys = same === undefined ? near?.keysOf(row, text()) : records.keysOf(same);
    if (near !== undefined && same === undefined) signed.add(...content, records.count);
    records.add(row, content, question, keys);
  }

  /** Begins to meet rows of which none is in the block. */
  open(): void {
    const { count } = this.records;
    if (this.copyOf.length < count) {
      this.copyOf = new Uint32Array(count);
      this.overlaps = new Float64Array(count);
      this.compared = new Uint32Array(count);
    }
    for (const table of [this.contents, this.questions]) table.reserve(count);
    this.copyOf.fill(NONE);
    this.compared.fill(NONE);
    this.asked.clear();
    this.index.clear();
    for (let record = 0; record < count; record++) {
      this.asked.add(this.records.content(record));
      const question = this.records.question(record);
      if (question !== undefined) this.asked.add(question);
      this.index.add(record);
    }
  }

  /** A record of a row that comes after those that were met, and what the block has in common with it. */
  meet(others: RowRecords, record: number): void {
    const row = others.row(record);
    this.meetContent(others.content(record), row);
    const question = others.question(record);
    if (question !== undefined && this.asked.has(question)) addFirst(this.questions, question, row);
    const keys = others.keyed(record);
    if (keys === undefined) return;
    this.met = row;
    this.index.eachWith(others.words, keys, this.compare);
  }

  /** A record of the block with the row that is met; made once, as this is asked of every row. */
  private readonly compare = (own: number): void => {
    const row = this.met;
    if (this.compared[own] === row || this.copyOf[own] !== NONE) return;
    this.compared[own] = row;
    const overlap = this.near?.overlap(this.records.row(own), row);
    if (overlap === undefined) return;
    this.copyOf[own] = row;
    this.overlaps[own] = overlap;
  };

  meetContent(content: Hash, row: number): void {
    if (this.asked.has(content)) addFirst(this.contents, content, row);
  }

  /** The first row met that a record is a near copy of. */
  copy(record: number): NearCopy | undefined {
    const of = this.copyOf[record] ?? NONE;
    return of === NONE ? undefined : { of, overlap: this.overlaps[record] ?? 0 };
  }

  /** After all others were met: from now on, records of the block are found once they are added again. */
  close(): void {
    this.index.clear();
  }

  /** The first row that was added again, of which a record is a near copy. */
  nearest(record: number): NearCopy | undefined {
    const { near, records, index } = this;
    const keys = records.keyed(record);
    if (near === undefined || keys === undefined) return undefined;
    const found = new Set<number>();
    index.eachWith(records.words, keys, (own) => found.add(own));
    const row = records.row(record);
    for (const own of [...found].sort((a, b) => a - b)) {
      const of = records.row(own);
      const overlap = near.overlap(row, of);
      if (overlap !== undefined) return { of, overlap };
    }
    return undefined;
  }

  /** A row of the block that is kept, from which later ones are told. */
  keep(record: number): void {
    const row = this.records.row(record);
    addFirst(this.contents, this.records.content(record), row);
    const question = this.records.question(record);
    if (question !== undefined) addFirst(this.questions, question, row);
    if (this.near !== undefined) this.index.add(record);
  }

  /** Ready for the next block. */
  clear(): void {
    this.records.clear();
    for (const table of [this.contents, this.questions, this.signed]) table.clear();
  }

  /** Memory of its buffers. */
  get bytes(): number {
    const { records, index, contents, questions, signed, copyOf, overlaps, compared } = this;
    const tables = contents.bytes + questions.bytes + signed.bytes;
    const found = copyOf.byteLength + overlaps.byteLength + compared.byteLength;
    return records.memory + index.memory + tables + found + this.asked.memory;
  }
}

function addFirst(table: HashTable, key: Hash, row: number): void {
  if (table.get(...key) === undefined) table.add(...key, row);
}

/** Bits of each half: with half a million keys, one in 400 others is taken for one of them. */
const HALF_BITS = 2 ** 24;

/** Faster than a remainder of doubles. */
const lowBits = (half: number): number => half - Math.floor(half / HALF_BITS) * HALF_BITS;

/** Of a filter of so many rows: pages of bits, of which each half of two hashes sets one. */
const filterBytes = (rows: number): number => Math.min(HALF_BITS / 8, 4 * PAGE * rows);
const PAGE = 4096;

/** Tells most hashes that were not added (Bloom: "Space/time trade-offs in hash coding with allowable errors", 1970). */
class HashFilter {
  private bits = new Uint32Array(0);

  get memory(): number {
    return this.bits.byteLength;
  }

  clear(): void {
    if (this.bits.length === 0) this.bits = new Uint32Array(HALF_BITS / 32);
    else this.bits.fill(0);
  }

  add([high, low]: Hash): void {
    for (const half of [high, low]) {
      const bit = lowBits(half);
      this.bits[bit >>> 5] = (this.bits[bit >>> 5] as number) | (1 << (bit & 31));
    }
  }

  has([high, low]: Hash): boolean {
    return this.hasHalf(low) && this.hasHalf(high);
  }

  private hasHalf(half: number): boolean {
    const bit = lowBits(half);
    return (((this.bits[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1;
  }
}
