/** Losses and scores of rows that begin alike and are next to each other: what they share is computed once. */
import type { Decoder } from '../models/decoder/types.js';
import { tidyHeap } from '../tensor/garbage.js';
import type { TokenRows } from '../training/batch.js';
import {
  type AlikeTexts,
  answerLosses,
  type CountedTexts,
  joinedAnswers,
  joinedLength,
  sharesPrompts,
} from '../training/index.js';
import { type LossOptions, lossBatches, type RowLoss } from './losses.js';

/** Whether a decoder is given pairs so: where that is faster and gives the same. */
export const joinsPairs = (
  { options: { config, adapter } }: Pick<Decoder, 'options'>,
  pairs: CountedTexts | undefined,
): boolean => pairs !== undefined && sharesPrompts(config, adapter?.config, pairs);

/** Rows next to each other that are computed as one. */
export interface JoinedRows {
  readonly first: number;
  readonly count: number;
  /** Tokens of the one row. */
  readonly length: number;
}

/** Each two rows. */
export const pairsOfRows = (rows: TokenRows): readonly JoinedRows[] =>
  Array.from({ length: rows.count / 2 }, (_, pair) => {
    const first = 2 * pair;
    return { first, count: 2, length: joinedLength([rows.read(first), rows.read(first + 1)]) };
  });

/** Some of the joined rows at a time, those with the most tokens first. */
async function inBatches(
  rows: TokenRows,
  joined: readonly JoinedRows[],
  options: LossOptions,
  compute: (texts: readonly AlikeTexts[], batch: readonly JoinedRows[]) => Promise<void>,
): Promise<void> {
  const lengths = { count: joined.length, lengthOf: (index: number) => joined[index]?.length ?? 0 };
  let done = 0;
  for (const numbers of lossBatches(lengths, options.batchTokens)) {
    options.signal?.throwIfAborted();
    const batch = Array.from(numbers, (index) => joined[index] as JoinedRows);
    const texts = batch.map(({ first, count }) =>
      Array.from({ length: count }, (_, at) => rows.read(first + at)),
    );
    await compute(texts, batch);
    tidyHeap();
    done += batch.reduce((sum, { count }) => sum + count, 0);
    options.onProgress?.(done);
  }
}

/** The loss of every row, in the rows' order. */
export async function joinedLosses(
  decoder: Pick<Decoder, 'loss'>,
  rows: TokenRows,
  joined: readonly JoinedRows[],
  options: LossOptions,
): Promise<readonly RowLoss[]> {
  const losses: RowLoss[] = Array.from({ length: rows.count }, () => ({ sum: 0, tokens: 0 }));
  await inBatches(rows, joined, options, async (texts, batch) => {
    const found = await answerLosses(decoder, texts, options.padId);
    for (const [index, { first }] of batch.entries())
      for (const [at, loss] of (found[index] ?? []).entries()) losses[first + at] = loss;
  });
  return losses;
}

/** Of pairs, as `classify` of a language model. */
export const classifyPairs = (
  decoder: Pick<Decoder, 'classify'>,
  rows: TokenRows,
  options: LossOptions,
  take: (row: number, logits: Float32Array) => void,
): Promise<void> =>
  inBatches(rows, pairsOfRows(rows), options, async (texts, batch) => {
    const logits = await decoder.classify(joinedAnswers(texts, options.padId, true).batch);
    const width = logits.length / (2 * texts.length);
    for (const [index, { first }] of batch.entries())
      for (const side of [0, 1]) {
        const at = 2 * index + side;
        take(first + side, logits.subarray(at * width, (at + 1) * width));
      }
  });
