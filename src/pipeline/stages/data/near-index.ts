import { GrowingArray } from './growing-array.js';
import { mix } from './word-triples.js';

/** Hash functions of a signature. */
const FUNCTIONS = 128;
/** Least chance with which a pair at the threshold meets in a band. */
const RECALL = 0.9999;

export interface Bands {
  readonly count: number;
  /** Hashes in a band. */
  readonly rows: number;
}

/**
 * Bands for a threshold: the widest, so the fewest false candidates, with which a pair at the threshold is still found,
 * 1 − (1 − s^rows)^count ≥ {@link RECALL} (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, 3.4).
 */
export function bandsFor(threshold: number): Bands {
  for (let rows = 16; rows > 1; rows--) {
    const count = Math.floor(FUNCTIONS / rows);
    if (1 - (1 - threshold ** rows) ** count >= RECALL) return { count, rows };
  }
  return { count: FUNCTIONS, rows: 1 };
}

/** MinHash signature of a set, folded to one number a band. `keys` gets `bands.count` of them. */
export function bandKeys(set: Uint32Array, bands: Bands, keys: Uint32Array): void {
  for (let band = 0; band < bands.count; band++) {
    let key = band;
    for (let row = 0; row < bands.rows; row++) {
      const seed = mix(band * bands.rows + row + 1);
      const odd = mix(seed) | 1;
      let least = 0xffffffff;
      for (let i = 0; i < set.length; i++) {
        let hash = Math.imul((set[i] ?? 0) ^ seed, odd);
        hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
        hash = (hash ^ (hash >>> 13)) >>> 0;
        if (hash < least) least = hash;
      }
      key = mix(Math.imul(key, 31) ^ least);
    }
    keys[band] = key;
  }
}

/** Rows by their band keys: chains in typed arrays. */
export class NearIndex {
  private heads = new Uint32Array(4096);
  private readonly next = GrowingArray.integers();
  private readonly keys = GrowingArray.integers();
  private readonly rows = GrowingArray.integers();

  add(row: number, keys: Uint32Array): void {
    for (const key of keys) {
      if (this.rows.length >= this.heads.length) this.grow();
      this.keys.push(key);
      this.next.push(0);
      this.link(this.rows.push(row));
    }
  }

  /** Rows that share a band, ascending: near ones are among them. */
  candidates(keys: Uint32Array): readonly number[] {
    const found = new Set<number>();
    for (const key of keys)
      for (
        let entry = this.heads[key & (this.heads.length - 1)] ?? 0;
        entry !== 0;
        entry = this.next.get(entry - 1)
      )
        if (this.keys.get(entry - 1) === key) found.add(this.rows.get(entry - 1));
    return [...found].sort((a, b) => a - b);
  }

  private link(entry: number): void {
    const slot = this.keys.get(entry) & (this.heads.length - 1);
    this.next.set(entry, this.heads[slot] ?? 0);
    this.heads[slot] = entry + 1;
  }

  private grow(): void {
    this.heads = new Uint32Array(this.heads.length * 2);
    for (let entry = 0; entry < this.rows.length; entry++) this.link(entry);
  }
}
