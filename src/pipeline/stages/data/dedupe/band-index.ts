/** Records by the keys of their bands: chains in typed arrays, which are used again for other records. */
import type { RowRecords } from '../row-records.js';

/** One bit for each value of so many bits of a key: most keys that nothing has are told at once. */
const FILTER_BITS = 26;
/** A filter that small is enough for few keys. */
const LEAST_FILTER_BITS = 16;

export class BandIndex {
  private heads = new Uint32Array(0);
  private next = new Uint32Array(0);
  private filter = new Uint32Array(0);

  constructor(private readonly records: RowRecords) {}

  get memory(): number {
    return this.heads.byteLength + this.next.byteLength + this.filter.byteLength;
  }

  /** Room for the records that there are, none of which is in it. */
  clear(): void {
    const entries = this.records.count * this.records.keys;
    const slots = slotsFor(entries);
    if (this.heads.length < slots) {
      this.heads = new Uint32Array(slots);
      this.next = new Uint32Array(slots);
      this.filter = new Uint32Array(2 ** (filterBits(slots) - 5));
    } else {
      this.heads.fill(0);
      this.filter.fill(0);
    }
  }

  add(record: number): void {
    const { heads, next, filter, records } = this;
    const at = records.keyed(record);
    if (at === undefined) return;
    const mask = heads.length - 1;
    const bit = filter.length - 1;
    for (let band = 0; band < records.keys; band++) {
      const key = records.words[at + band] as number;
      const entry = record * records.keys + band;
      next[entry] = heads[key & mask] as number;
      heads[key & mask] = entry + 1;
      const word = (key >>> 5) & bit;
      filter[word] = (filter[word] as number) | (1 << (key & 31));
    }
  }

  /** Tells `found` each record in it that has one of the keys in `words` from `at` on in the same band, some more than once. */
  eachWith(words: Uint32Array, at: number, found: (record: number) => void): void {
    const { heads, next, filter, records } = this;
    const mask = heads.length - 1;
    const bit = filter.length - 1;
    const { keys } = records;
    for (let band = 0; band < keys; band++) {
      const key = words[at + band] as number;
      if ((((filter[(key >>> 5) & bit] as number) >>> (key & 31)) & 1) === 0) continue;
      for (let entry = heads[key & mask] as number; entry !== 0; entry = next[entry - 1] as number) {
        const record = Math.floor((entry - 1) / keys);
        if (entry - 1 - record * keys !== band) continue;
        const own = records.keyed(record);
        if (own !== undefined && records.words[own + band] === key) found(record);
      }
    }
  }
}

const slotsFor = (entries: number): number => 2 ** Math.ceil(Math.log2(Math.max(1024, entries)));

/** Of one with so many keys, as it is used: chains from their start, and all else at random. */
export const indexBytes = (entries: number): number => {
  const slots = slotsFor(entries);
  return 4 * (entries + slots) + 2 ** (filterBits(slots) - 3);
};

/** Sixteen bits a slot. */
const filterBits = (slots: number): number =>
  Math.min(FILTER_BITS, Math.max(LEAST_FILTER_BITS, Math.log2(slots) + 4));
