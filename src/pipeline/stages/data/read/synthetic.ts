import { type Line, rowLine, type Sample } from '../file-lines.js';
import { unitHash } from '../hashes.js';

export interface SyntheticOptions {
  readonly rows: number;
  readonly length: number;
  readonly vocabulary: number;
  readonly seed: number;
}

/** Rows at a time. */
const BATCH = 64;

/** Rows of random ids, all supervised. The same options give the same rows, and each is made for itself. */
export function* syntheticRows(
  options: SyntheticOptions,
  { skip, every }: Sample,
): Iterable<readonly Line[]> {
  let batch: Line[] = [];
  for (let row = skip; row < options.rows; row += every) {
    batch.push(syntheticRow(options, row));
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

function syntheticRow({ length, vocabulary, seed }: SyntheticOptions, row: number): Line {
  const next = generator(unitHash(seed, `synthetic ${row}`) * 2 ** 32);
  const ids = Array.from({ length }, () => Math.floor(next() * vocabulary));
  return rowLine(row + 1, JSON.stringify({ input_ids: ids, labels: ids }));
}

/** Mulberry32 (Tommy Ettinger): good enough for filler, and one multiplication a number. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
