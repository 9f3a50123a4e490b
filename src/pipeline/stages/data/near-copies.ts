import { type Bands, bandKeys, bandsFor, NearIndex } from './near-index.js';
import { RowFault } from './parse-row.js';
import { contentOf } from './row-content.js';
import { wholeText } from './row-identity.js';
import type { RowReader } from './row-reader.js';
import { jaccard, tripleHashes } from './word-triples.js';

interface NearCopy {
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
    const copy = this.nearest(set);
    if (copy === undefined) this.insert(row, set);
    return copy;
  }

  add(row: number, text: string): void {
    this.insert(row, this.signed(text));
  }

  find(text: string): NearCopy | undefined {
    return this.nearest(this.signed(text));
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

  private nearest(set: Uint32Array): NearCopy | undefined {
    if (set.length === 0) return undefined;
    for (const candidate of this.index.candidates(this.keys)) {
      const overlap = jaccard(set, this.setOf(candidate));
      if (overlap >= this.threshold) return { of: candidate, overlap };
    }
    return undefined;
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
