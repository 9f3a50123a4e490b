import type { DataSettings } from '../../../../language/schemas/stages/data.js';
import { RowFault } from '../parse-row.js';
import { contentOf, wholeText } from '../row-content.js';
import type { RowReader } from '../row-reader.js';
import { FUNCTIONS, signatureOf } from './min-hash.js';
import { RememberedSets } from './remembered-sets.js';
import { jaccard, mix, tripleHashes } from './word-triples.js';

/** Least overlap of rows of which one is dropped; `undefined` if near copies are not looked for. */
export function similarityOf({ dedupe }: Pick<DataSettings, 'dedupe'>): number | undefined {
  const near = dedupe.find(({ call }) => call === 'near');
  return near && Number(near.args['similarity']);
}

/** Sets of triples kept in memory, and MiB of them; others are made again from the file. */
export const REMEMBERED = 4096;
const REMEMBERED_CHUNKS = 64;

/** Rows whose sets of word triples overlap: found by keys of their MinHash signatures, then compared as they are. */
export class NearCopies {
  readonly bands: Bands;
  private readonly keys: Uint32Array;
  private readonly sets = new RememberedSets(REMEMBERED, REMEMBERED_CHUNKS);

  constructor(
    readonly reader: RowReader,
    readonly threshold: number,
  ) {
    this.bands = bandsFor(threshold);
    this.keys = new Uint32Array(this.bands.count);
  }

  /** The keys of a row, valid until the next call. A text without words has none, and is near none. */
  keysOf(row: number, text: string): Uint32Array | undefined {
    const set = tripleHashes(text);
    if (set.length === 0) return undefined;
    bandKeys(set, this.bands, this.keys);
    if (this.sets.size < REMEMBERED) this.sets.add(row, set);
    return this.keys;
  }

  /** What two rows have in common; `undefined` if that is less than asked for. */
  overlap(row: number, other: number): number | undefined {
    const known = [this.sets.get(row), this.sets.get(other)] as const;
    const [one = this.read(row), two = this.read(other)] = known;
    const overlap = jaccard(one, two);
    // only now, as what is added may take the place of the other
    if (known[0] === undefined) this.sets.add(row, one);
    if (known[1] === undefined) this.sets.add(other, two);
    return overlap >= this.threshold ? overlap : undefined;
  }

  private read(row: number): Uint32Array {
    const content = contentOf(this.reader.row(row), {});
    return content instanceof RowFault ? new Uint32Array(0) : tripleHashes(wholeText(content));
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
