import type { Batch } from '../models/decoder/types.js';

/** The rows that training and validation read, one at a time: nothing is held for each row but what the source holds. */
export interface TokenRows {
  readonly count: number;
  /** Whether some tokens count more than others. */
  readonly isWeighted?: boolean;
  /** Tokens of a row. */
  lengthOf(row: number): number;
  /** Ids, and labels: the token at each position, or -100 if it is not supervised. */
  read(row: number): TokenRow;
}

export interface TokenRow {
  readonly ids: Int32Array;
  readonly labels: Int32Array;
  /** Of each token in the loss; default: 1. */
  readonly weights?: Float32Array;
}

/** A label that no loss counts. */
export const IGNORED = -100;

/** Lengths of batches are rounded up to multiples of this, so that few shapes are compiled. */
const LENGTH_BUCKET = 32;

/** Length that rows of at most `tokens` are padded to; `limit` is the longest that the model takes. */
export function paddedLength(
  tokens: number,
  limit: number = Number.POSITIVE_INFINITY,
  bucket: number = LENGTH_BUCKET,
): number {
  return Math.max(tokens, Math.min(limit, Math.ceil(tokens / bucket) * bucket));
}

/** How rows share sequences. */
export interface Packing {
  /** Tokens of a sequence at most. */
  readonly capacity: number;
  /** Tokens of the longest of all rows, so that every batch has the same. */
  readonly longestText: number;
  /** The first position of a row whose label counts; default: 1. */
  readonly firstLabel?: number;
}

/** Lengths that packed sequences come in, at most: only the last of a step is much shorter than its capacity. */
const PACKED_LENGTHS = 8;

/** Length that packed sequences of at most `capacity` tokens are padded to. */
export const packedLength = (tokens: number, capacity: number): number =>
  paddedLength(tokens, capacity, paddingOf(capacity, true).bucket);

/** What sequences of at most `limit` tokens are padded to multiples of. */
export const paddingOf = (limit: number, isPacked: boolean) => ({
  limit,
  bucket: isPacked ? Math.ceil(limit / PACKED_LENGTHS / LENGTH_BUCKET) * LENGTH_BUCKET : LENGTH_BUCKET,
});

/**
 * Cuts rows into micro batches of like length, the longest first, so that too little memory shows at once. The sum of
 * their gradients is the same for any cut.
 */
export function microBatches(
  rows: Uint32Array,
  size: number,
  lengthOf: (row: number) => number,
): readonly Uint32Array[] {
  const sorted = longestFirst(rows, lengthOf);
  const cuts: Uint32Array[] = [];
  for (let start = 0; start < sorted.length; start += size) cuts.push(sorted.subarray(start, start + size));
  return cuts;
}

/** Rows of one length stay in their order. */
function longestFirst(rows: Uint32Array, lengthOf: (row: number) => number): Uint32Array {
  const places = Array.from(rows, (row, place) => ({ row, place, length: lengthOf(row) }));
  places.sort((a, b) => b.length - a.length || a.place - b.place);
  return Uint32Array.from(places, ({ row }) => row);
}

/** Right-pads rows to one length; padding is never supervised. */
export function buildBatch(source: TokenRows, rows: Uint32Array, padId: number, limit?: number): Batch {
  const longest = rows.reduce((length, row) => Math.max(length, source.lengthOf(row)), 1);
  const length = paddedLength(longest, limit);
  const ids = new Int32Array(rows.length * length).fill(padId);
  const labels = new Int32Array(rows.length * length).fill(IGNORED);
  const weights = weightsFor(source, labels.length);
  rows.forEach((row, index) => {
    const tokens = source.read(row);
    ids.set(tokens.ids, index * length);
    labels.set(tokens.labels, index * length);
    if (tokens.weights !== undefined) weights?.set(tokens.weights, index * length);
  });
  const lengths = Array.from(rows, (row) => source.lengthOf(row));
  return { rows: rows.length, length, lengths, ids, labels, ...(weights && { weights }) };
}

const weightsFor = ({ isWeighted }: TokenRows, tokens: number): Float32Array | undefined =>
  isWeighted === true ? new Float32Array(tokens).fill(1) : undefined;

/**
 * Puts rows into sequences of at most `capacity` tokens: the longest first, each into the sequence that it leaves least
 * free in (best fit), as TRL's `bfd` does. A row that is longer has a sequence of its own.
 */
export function packRows(
  rows: Uint32Array,
  capacity: number,
  lengthOf: (row: number) => number,
): readonly Uint32Array[] {
  const packs: { rows: number[]; free: number }[] = [];
  for (const row of longestFirst(rows, lengthOf)) {
    const length = lengthOf(row);
    let best: (typeof packs)[number] | undefined;
    for (const pack of packs)
      if (pack.free >= length && (best === undefined || pack.free < best.free)) best = pack;
    if (best === undefined) {
      best = { rows: [], free: capacity };
      packs.push(best);
    }
    best.rows.push(row);
    best.free -= length;
  }
  return packs.map((pack) => Uint32Array.from(pack.rows));
}

/** Cuts packed rows into micro batches of `size` sequences, those with the most tokens first. */
export function packedBatches(
  rows: Uint32Array,
  size: number,
  capacity: number,
  lengthOf: (row: number) => number,
): readonly (readonly Uint32Array[])[] {
  const packs = packRows(rows, capacity, lengthOf);
  const tokens = packs.map((pack) => pack.reduce((sum, row) => sum + lengthOf(row), 0));
  const cuts = microBatches(Uint32Array.from(packs.keys()), size, (pack) => tokens[pack] ?? 0);
  return cuts.map((cut) => Array.from(cut, (pack) => packs[pack] ?? new Uint32Array(0)));
}

/**
 * Each sequence holds its rows one after another, and each token of padding as a text of its own: padding must not be
 * the longest text, since some rotary positions follow from that. The first token of a row is predicted from nothing, so
 * that it is not supervised; a class may be there.
 */
export function buildPacked(
  source: TokenRows,
  sequences: readonly Uint32Array[],
  padId: number,
  { capacity = Number.POSITIVE_INFINITY, longestText, firstLabel = 1 }: Partial<Packing> = {},
): Batch {
  const tokensOf = (rows: Uint32Array): number => rows.reduce((sum, row) => sum + source.lengthOf(row), 0);
  const longest = sequences.reduce((length, rows) => Math.max(length, tokensOf(rows)), 1);
  const length = Number.isFinite(capacity) ? packedLength(longest, capacity) : paddedLength(longest);
  const size = sequences.length * length;
  const ids = new Int32Array(size).fill(padId);
  const labels = new Int32Array(size).fill(IGNORED);
  const segments = new Int32Array(size);
  const weights = weightsFor(source, size);
  sequences.forEach((rows, sequence) => {
    let at = sequence * length;
    rows.forEach((row, text) => {
      const tokens = source.read(row);
      ids.set(tokens.ids, at);
      labels.set(tokens.labels, at);
      labels.fill(IGNORED, at, at + firstLabel);
      if (tokens.weights !== undefined) weights?.set(tokens.weights, at);
      segments.fill(text, at, at + tokens.ids.length);
      at += tokens.ids.length;
    });
    for (let text = rows.length; at < (sequence + 1) * length; text++) segments[at++] = text;
  });
  return { rows: sequences.length, length, ids, labels, segments, longestText, ...(weights && { weights }) };
}

/**
 * Supervised tokens that are predicted, each by its weight: a label at position 0 has nothing before it, unless it is a
 * class.
 */
export function supervisedTokens({ rows, length, labels, weights }: Batch, first = 1): number {
  let sum = 0;
  for (let row = 0; row < rows; row++)
    for (let at = row * length + first; at < (row + 1) * length; at++)
      if (labels[at] !== IGNORED) sum += weights?.[at] ?? 1;
  return sum;
}

/** Rows to be measured, in batches of like length: the longest first, so that batches pad little. */
export const validationBatches = (source: TokenRows, size: number): readonly Uint32Array[] =>
  microBatches(
    Uint32Array.from({ length: source.count }, (_, row) => row),
    size,
    (row) => source.lengthOf(row),
  );
