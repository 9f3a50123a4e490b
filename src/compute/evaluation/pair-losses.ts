/** Losses and scores of pairs of answers, which are next to each other: their prompt is computed once. */
import type { Decoder } from '../models/decoder/types.js';
import { tidyHeap } from '../tensor/garbage.js';
import type { TokenRows } from '../training/batch.js';
import {
  answerLosses,
  type CountedTexts,
  joinedAnswers,
  joinedLength,
  sharesPrompts,
  type TextPair,
} from '../training/index.js';
import { type LossOptions, lossBatches, type RowLoss } from './losses.js';

/** Whether a decoder is given them so: where that is faster and gives the same. */
export const joinsPairs = (
  { options: { config, adapter } }: Pick<Decoder, 'options'>,
  pairs: CountedTexts | undefined,
): boolean => pairs !== undefined && sharesPrompts(config, adapter?.config, pairs);

/** Some pairs at a time, those with the most tokens first; `pair`: their numbers. */
async function inBatches(
  rows: TokenRows,
  options: LossOptions,
  compute: (texts: readonly TextPair[], numbers: Uint32Array) => Promise<void>,
): Promise<void> {
  const pairOf = (pair: number): TextPair => [rows.read(2 * pair), rows.read(2 * pair + 1)];
  const count = rows.count / 2;
  const lengths = Uint32Array.from({ length: count }, (_, pair) => joinedLength(pairOf(pair)));
  let done = 0;
  for (const batch of lossBatches({ count, lengthOf: (pair) => lengths[pair] ?? 0 }, options.batchTokens)) {
    options.signal?.throwIfAborted();
    await compute(Array.from(batch, pairOf), batch);
    tidyHeap();
    done += 2 * batch.length;
    options.onProgress?.(done);
  }
}

/** The loss of every row, in the rows' order. */
export async function pairLosses(
  decoder: Pick<Decoder, 'loss'>,
  rows: TokenRows,
  options: LossOptions,
): Promise<readonly RowLoss[]> {
  const losses: RowLoss[] = Array.from({ length: rows.count }, () => ({ sum: 0, tokens: 0 }));
  await inBatches(rows, options, async (texts, numbers) => {
    const found = await answerLosses(decoder, texts, options.padId);
    for (const [index, pair] of numbers.entries())
      for (const side of [0, 1]) losses[2 * pair + side] = found[2 * index + side] as RowLoss;
  });
  return losses;
}

/** As `classify` of a language model. */
export const classifyPairs = (
  decoder: Pick<Decoder, 'classify'>,
  rows: TokenRows,
  options: LossOptions,
  take: (row: number, logits: Float32Array) => void,
): Promise<void> =>
  inBatches(rows, options, async (texts, numbers) => {
    const logits = await decoder.classify(joinedAnswers(texts, options.padId, true).batch);
    const width = logits.length / (2 * texts.length);
    for (const [index, pair] of numbers.entries())
      for (const side of [0, 1]) {
        const at = 2 * index + side;
        take(2 * pair + side, logits.subarray(at * width, (at + 1) * width));
      }
  });
