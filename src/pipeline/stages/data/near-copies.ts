import { GrowingArray } from './growing-array.js';
import { FUNCTIONS, signatureOf } from './min-hash.js';
import { RowFault } from './parse-row.js';
import { contentOf, wholeText } from './row-content.js';
import type { RowReader } from './row-reader.js';
import { jaccard, mix, tripleHashes } from './word-triples.js';

/** Which row, and how much of both they have in common. */
export interface NearCopy {
  readonly of: number;
  readonly overlap: number;
}

/** Sets of triples kept in memory, and their triples together; others are made again from the file. */
const REMEMBERED = 4096;
const REMEMBERED_TRIPLES = 1 << 24;

/** Rows whose sets of word triples overlap: found by MinHash, then compared as they are. */
export class NearCopies {
  private readonly index = new NearIndex();
  private readonly bands: Bands;
  private readonly keys: Uint32Array;
  private readonly sets = new Map<number, Uint32Array>();
  private triples = 0;

  constructor(
    readonly reader: RowReader,
    readonly threshold: number,
  ) {
    this.bands = bandsFor(threshold);
    this.keys = new Uint32Array(this.bands.count);
  }

  /** The first row that this one is a near copy of; if there is none, later rows are compared with it. */
  addUnlessCopy(row: number, text: string): NearCopy | undefined {
    const set = this.signed(text);
    const [copy] = this.near(set);
    if (copy === undefined) this.insert(row, set);
    return copy;
  }

  add(row: number, text: string): void {
    this.insert(row, this.signed(text));
  }

  /** Every row that this text is a near copy of, ascending. */
  all(text: string): Iterable<NearCopy> {
    return this.near(this.signed(text));
  }

  /** The set of a text; its band keys are left in `keys`. A text without words is near none. */
  private signed(text: string): Uint32Array {
    const set = tripleHashes(text);
    if (set.length > 0) bandKeys(set, this.bands, this.keys);
    return set;
  }

  private insert(row: number, set: Uint32Array): void {
    if (set.length === 0) return;
    this.index.add(row, this.keys);
    this.remember(row, set);
  }

  private *near(set: Uint32Array): Iterable<NearCopy> {
    if (set.length === 0) return;
    for (const candidate of this.index.candidates(this.keys)) {
      const overlap = jaccard(set, this.setOf(candidate));
      if (overlap >= this.threshold) yield { of: candidate, overlap };
    }
  }

  private setOf(row: number): Uint32Array {
    const known = this.sets.get(row);
    if (known !== undefined) return known;
    const content = contentOf(this.reader.row(row), {});
    const set = content instanceof RowFault ? new Uint32Array(0) : tripleHashes(wholeText(content));
    this.remember(row, set);
    return set;
  }

  private remember(row: number, set: Uint32Array): void {
    this.sets.set(row, set);
    this.triples += set.length;
    for (const [oldest, { length }] of this.sets) {
      if (this.sets.size <= REMEMBERED && this.triples <= REMEMBERED_TRIPLES) break;
      this.sets.delete(oldest);
      this.triples -= length;
    }
  }
}

/** Least chance with which a pair at the threshold meets in a band. */
const RECALL = 0.9999;

interface Bands {
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

/** The signature of a set, folded to one number a band. `keys` gets `bands.count` of them. */
function bandKeys(set: Uint32Array, bands: Bands, keys: Uint32Array): void {
  const signature = signatureOf(set, bands.count * bands.rows);
  for (let band = 0; band < bands.count; band++) {
    let key = band;
    for (let row = 0; row < bands.rows; row++)
      key = mix(Math.imul(key, 31) ^ (signature[band * bands.rows + row] ?? 0));
    keys[band] = key;
  }
}

/** Rows by their band keys: chains in typed arrays. */
class NearIndex {
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
