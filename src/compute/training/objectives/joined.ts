/** Pairs whose prompt is computed once: a row is the prompt, the chosen answer, and the rejected one, which does not see that. */
import { type Batch, type Decoder, FORK, type TokenLosses } from '../../models/decoder/types.js';
import { buildBatch, IGNORED, type TokenRow } from '../batch.js';
import { promptLength } from './rows.js';
import { type ComputedTexts, rowsOf, type Text, textLabels } from './texts.js';
import type { PreferenceObjective } from './types.js';

export type TextPair = readonly [chosen: TokenRow, rejected: TokenRow];

/**
 * Tokens with which both texts begin and of which nothing is asked. The last token of a prompt is not among them: the first tokens
 * of both answers are predicted from it, so that each has one of its own.
 */
function sharedTokens([chosen, rejected]: TextPair): number {
  const most = Math.min(promptLength(chosen), promptLength(rejected));
  let same = 0;
  while (same < most && chosen.ids[same] === rejected.ids[same]) same++;
  return Math.max(0, same - 1);
}

/** Tokens of the row of a pair. */
export const joinedLength = (pair: TextPair): number =>
  pair[0].ids.length + pair[1].ids.length - sharedTokens(pair);

/** Texts, all chosen ones before all rejected ones, as pairs. */
const inPairs = <T extends TokenRow>(texts: readonly T[]): readonly (readonly [T, T])[] => {
  const half = texts.length / 2;
  return texts.slice(0, half).map((chosen, pair) => [chosen, texts[half + pair] ?? chosen] as const);
};

/** Both texts of a pair in each row. */
export function joinedTexts(
  objective: PreferenceObjective,
  texts: readonly Text[],
  padId: number,
): ComputedTexts {
  const pairs = inPairs(texts);
  const labelled = pairs.map(([chosen, rejected]): LabelledPair => {
    const labels = [chosen, rejected].map((text) => textLabels(objective, text)) as [Int32Array, Int32Array];
    return { pair: [chosen, rejected], labels };
  });
  return joined(labelled, padId, objective.kind === 'reward');
}

/** The same of pairs of which nothing is asked but what their labels say; `isScored`: the scores of their last tokens. */
export function joinedAnswers(pairs: readonly TextPair[], padId: number, isScored = false): ComputedTexts {
  const labelled = pairs.map((pair): LabelledPair => ({ pair, labels: [pair[0].labels, pair[1].labels] }));
  return joined(labelled, padId, isScored);
}

/** Sum of the losses of an answer, in nats, and their number. */
export interface AnswerLoss {
  sum: number;
  tokens: number;
}

/** Of each pair, the chosen answer's before the rejected one's. Forward alone. */
export async function answerLosses(
  decoder: Pick<Decoder, 'loss'>,
  pairs: readonly TextPair[],
  padId: number,
): Promise<readonly AnswerLoss[]> {
  const found = Array.from({ length: 2 * pairs.length }, (): AnswerLoss => ({ sum: 0, tokens: 0 }));
  const { batch, placed } = joinedAnswers(pairs, padId);
  await decoder.loss(batch, (losses) => {
    const { rows } = placed(losses);
    for (const [index, text] of rows.entries()) {
      const answer = found[2 * (text % pairs.length) + Math.floor(text / pairs.length)];
      if (answer === undefined) continue;
      answer.sum += losses.losses[index] ?? 0;
      answer.tokens += 1;
    }
  });
  return found;
}

interface LabelledPair {
  readonly pair: TextPair;
  /** What of each text is asked for. */
  readonly labels: readonly [Int32Array, Int32Array];
}

/** `isScored`: a label is for its own token, and not for the one before it. */
function joined(pairs: readonly LabelledPair[], padId: number, isScored: boolean): ComputedTexts {
  const shared = pairs.map(({ pair }) => sharedTokens(pair));
  const rows = pairs.map(({ pair: [chosen, rejected], labels: [own, other] }, row): TokenRow => {
    const labels = joinedArrays(own, other.subarray(shared[row]));
    // in its text, nothing that is asked comes before it; here, it comes after the chosen answer
    if (!isScored) labels[own.length] = IGNORED;
    return { ids: joinedArrays(chosen.ids, rejected.ids.subarray(shared[row])), labels };
  });
  const batch = buildBatch(rowsOf(rows), Uint32Array.from(rows.keys()), padId);
  const ends = pairs.map(({ labels: [own] }) => own.length);
  return {
    batch: { ...batch, forks: forksOf(batch, shared, ends) },
    placed: (tokens) => placedInTexts(tokens, shared, ends),
  };
}

function joinedArrays(first: Int32Array, second: Int32Array): Int32Array {
  const whole = new Int32Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function forksOf(
  { length, lengths = [], ids }: Batch,
  shared: readonly number[],
  ends: readonly number[],
): Int32Array {
  const forks = new Int32Array(ids.length).fill(FORK.padding);
  for (const [row, tokens] of lengths.entries()) {
    const at = row * length;
    const [prompt, end] = [at + (shared[row] ?? 0), at + (ends[row] ?? 0)];
    forks.fill(FORK.prompt, at, prompt).fill(FORK.first, prompt, end);
    forks.fill(FORK.second, end, at + tokens);
  }
  return forks;
}

/** Texts are numbered as {@link inPairs} takes them. */
function placedInTexts(
  { losses, rows, places }: TokenLosses,
  shared: readonly number[],
  ends: readonly number[],
): TokenLosses {
  const isSecond = (index: number): boolean => (places[index] ?? 0) >= (ends[rows[index] ?? 0] ?? 0);
  return {
    losses,
    rows: rows.map((row, index) => (isSecond(index) ? ends.length + row : row)),
    places: places.map((place, index) => {
      const row = rows[index] ?? 0;
      return isSecond(index) ? place - (ends[row] ?? 0) + (shared[row] ?? 0) : place;
    }),
  };
}
