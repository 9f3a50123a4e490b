import { hash } from 'node:crypto';
import { GrowingArray } from './growing-array.js';

const TWO_48 = 2 ** 48;

/** The first 96 bits of SHA-256 as two 48-bit integers, which doubles hold exactly. */
export function hash96(text: string): readonly [number, number] {
  const digest = hash('sha256', text, 'buffer');
  return [digest.readUIntBE(0, 6), digest.readUIntBE(6, 6)];
}

/** A number in [0, 1) that depends on seed and key alone: orders rows and groups without a generator's state. */
export function unitHash(seed: number, key: string): number {
  return hash96(`${seed}\n${key}`)[0] / TWO_48;
}

type Column = GrowingArray<Float64Array<ArrayBuffer>>;

/**
 * Rows by the 96-bit keys that columns hold of them: open addressing over row numbers, so that a row costs 8 to 16 bytes.
 * Two texts with one key would be taken for one; at ten million rows that has a chance of 10⁻¹⁵.
 */
class RowIndex {
  /** Row + 1; 0 if there is none. */
  private slots = new Uint32Array(LEAST_SLOTS);
  private count = 0;

  constructor(
    private readonly high: Column,
    private readonly low: Column,
  ) {}

  /** The row that was added with this key. */
  get(high: number, low: number): number | undefined {
    const row = this.slots[this.slot(high, low)] ?? 0;
    return row === 0 ? undefined : row - 1;
  }

  /** The columns have its key already, which no row before it has. */
  add(row: number): void {
    if (this.count * 2 >= this.slots.length) this.grow(2 * this.slots.length);
    this.slots[this.slot(this.high.get(row), this.low.get(row))] = row + 1;
    this.count++;
  }

  get bytes(): number {
    return this.slots.byteLength;
  }

  reserve(rows: number): void {
    if (slotsFor(rows) > this.slots.length) this.grow(slotsFor(rows));
  }

  clear(): void {
    this.slots.fill(0);
    this.count = 0;
  }

  private slot(high: number, low: number): number {
    const mask = this.slots.length - 1;
    let slot = low % this.slots.length;
    for (let row = this.slots[slot] ?? 0; row !== 0; row = this.slots[slot] ?? 0) {
      if (this.high.get(row - 1) === high && this.low.get(row - 1) === low) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private grow(slots: number): void {
    const before = this.slots;
    this.slots = new Uint32Array(slots);
    for (const row of before)
      if (row !== 0) this.slots[this.slot(this.high.get(row - 1), this.low.get(row - 1))] = row;
  }
}

const LEAST_SLOTS = 1024;

/** A power of two, of which at most half are taken. */
const slotsFor = (rows: number): number => Math.max(LEAST_SLOTS, 2 ** Math.ceil(Math.log2(2 * rows)));

/** Of a key: its halves, and its value. */
export const KEY_BYTES = 8 + 8 + 4;

/** What a table takes that was made for so many keys and has them. */
export const tableBytes = (keys: number): number => KEY_BYTES * keys + 4 * slotsFor(keys);

/** Numbers under 96-bit keys, in typed arrays: a million of them cost no objects. */
export class HashTable {
  private readonly high = GrowingArray.doubles();
  private readonly low = GrowingArray.doubles();
  private readonly values = GrowingArray.integers();
  private readonly index = new RowIndex(this.high, this.low);

  get(high: number, low: number): number | undefined {
    const entry = this.index.get(high, low);
    return entry === undefined ? undefined : this.values.get(entry);
  }

  /** A key that has no value yet. */
  add(high: number, low: number, value: number): void {
    this.high.push(high);
    this.low.push(low);
    this.index.add(this.values.push(value));
  }

  /** Room for so many keys in all. */
  reserve(keys: number): void {
    for (const column of [this.high, this.low, this.values]) column.reserve(keys);
    this.index.reserve(keys);
  }

  clear(): void {
    for (const column of [this.high, this.low, this.values]) column.clear();
    this.index.clear();
  }

  get bytes(): number {
    return this.index.bytes + [this.high, this.low, this.values].reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
