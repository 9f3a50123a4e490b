/** Log-probabilities of answers under the reference: computed once, before training, and kept. */
import type { Decoder } from '../../../../compute/models/decoder/index.js';
import {
  answerSums,
  type Mismatch,
  mismatchedText,
  neighbours,
  type PreferenceRows,
  pairSums,
  type References,
  type TokenRow,
  textsIn,
} from '../../../../compute/training/index.js';
import type { Host } from '../../../../language/host/host.js';
import type { WorkFolder } from '../../../../language/ir/outputs.js';

interface ReferenceOptions {
  readonly host: Host;
  readonly work: WorkFolder;
  /** Tells what is asked of a base from what is asked of another, or of other rows. */
  readonly name: string;
  readonly source: PreferenceRows;
  /** Rows whose own answers are asked for. */
  readonly rows: Iterable<number>;
  /** Batches whose prompts are asked for with the answers of their neighbours. */
  readonly batches: Iterable<Uint32Array>;
  readonly microBatch: number;
  readonly padId: number;
  /** Opens the reference when something is not known yet. */
  decoder(): Promise<Decoder>;
  /** Texts that are asked for, at most. */
  readonly total: number;
  progress(done: number, total: number): void;
  pause(): Promise<void>;
}

/** Texts that are computed before what is known is put on the disk. */
export const PIECE = 256;

/** An answer whose number is asked for, and where that goes. */
interface Asked {
  readonly text: TokenRow;
  keep(sum: number): void;
}

/**
 * Every number that training will ask for. Pieces of them are committed as they are known, so that a run which was killed
 * goes on where it stopped; they are always cut in one way, so that it ends with the same bytes.
 */
export async function references(options: ReferenceOptions): Promise<References> {
  const { source } = options;
  const own = new Float64Array(2 * source.count).fill(Number.NaN);
  const others = new Map<number, number>();
  const keyOf = ([prompt, answer]: Mismatch): number => prompt * source.count + answer;
  const committed = new Set(options.work.committed());
  let done = 0;
  let piece: Asked[] = [];
  const finish = async (): Promise<void> => {
    const name = `references-${options.name}-${String(done / PIECE).padStart(6, '0')}`;
    const sums = committed.has(name) ? readPiece(options, name) : await computed(options, name, piece);
    for (const [at, { keep }] of piece.entries()) keep(sums[at] ?? Number.NaN);
    done += piece.length;
    options.progress(done, options.total);
    piece = [];
  };
  for (const asked of askedIn(options, own, others, keyOf)) {
    piece.push(asked);
    if (piece.length === PIECE) await finish();
  }
  if (piece.length > 0) await finish();
  return {
    of: (row, side) => own[2 * row + side] ?? Number.NaN,
    mismatched: (rows) =>
      Float64Array.from(neighbours(rows), (pair) => others.get(keyOf(pair)) ?? Number.NaN),
  };
}

function* askedIn(
  { source, rows, batches }: ReferenceOptions,
  own: Float64Array,
  others: Map<number, number>,
  keyOf: (pair: Mismatch) => number,
): Iterable<Asked> {
  for (const row of rows)
    for (const { side, ...text } of textsIn(source, Uint32Array.of(row)))
      yield {
        text,
        keep(sum) {
          own[2 * row + side] = sum;
        },
      };
  for (const batch of batches)
    for (const pair of neighbours(batch)) {
      const key = keyOf(pair);
      if (others.has(key)) continue;
      others.set(key, Number.NaN);
      yield { text: mismatchedText(source, pair), keep: (sum) => void others.set(key, sum) };
    }
}

const VALUES = 'sums.f64';

async function computed(
  { decoder, microBatch, padId, pause, work, source }: ReferenceOptions,
  name: string,
  piece: readonly Asked[],
): Promise<Float64Array> {
  const input = { decoder: await decoder(), microBatch, padId, pause };
  const texts = piece.map(({ text }) => text);
  const sums =
    source.sharesPrompts === true ? await pairSums(input, inTwos(texts)) : await answerSums(input, texts);
  await work.commit(name, { [VALUES]: new Uint8Array(sums.buffer) });
  return sums;
}

/** Both texts of a pair follow each other, and a piece ends with none in between. */
const inTwos = (texts: readonly TokenRow[]): readonly (readonly [TokenRow, TokenRow])[] =>
  texts.flatMap((chosen, at) => (at % 2 === 0 ? [[chosen, texts[at + 1] ?? chosen] as const] : []));

function readPiece({ host, work }: ReferenceOptions, name: string): Float64Array {
  const path = `${work.path}/${name}/${VALUES}`;
  const bytes = host.readBytes(path, 0, host.stat(path)?.size ?? 0);
  return new Float64Array(bytes.slice().buffer);
}
