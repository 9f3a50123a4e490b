/**
 * Texts that begin alike, such as the answers of a pair and the choices of a question: a row is what they share, computed once, and
 * what each of them goes on with, which does not see that of the others.
 */
import { FORK } from '../../models/architectures/graphs/attention.js';
import type { Batch, Decoder, TokenLosses } from '../../models/decoder/types.js';
import { buildBatch, IGNORED, type TokenRow } from '../batch.js';
import { promptLength } from './rows.js';
import { type ComputedTexts, rowsOf, type Text, textLabels } from './texts.js';
import type { PreferenceObjective } from './types.js';

/** The texts of a row, one at least. */
export type AlikeTexts = readonly TokenRow[];

/**
 * Tokens with which all texts begin and of which nothing is asked. The last token of a prompt is not among them: the first tokens
 * of the answers are predicted from it, so that each has one of its own.
 */
export function sharedTokens(texts: AlikeTexts): number {
  const most = Math.min(...texts.map(promptLength));
  const [first, ...others] = texts;
  let same = 0;
  while (same < most && others.every(({ ids }) => ids[same] === first?.ids[same])) same++;
  return Math.max(0, same - 1);
}

/** Tokens of the row of some texts. */
export const joinedLength = (texts: AlikeTexts): number =>
  texts.reduce((sum, { ids }) => sum + ids.length, 0) - (texts.length - 1) * sharedTokens(texts);

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
  const labels = pairs.map((pair) => pair.map((text) => textLabels(objective, text)));
  return joined(pairs, labels, padId, objective.kind === 'reward');
}

/** The same of texts of which nothing is asked but what their labels say; `isScored`: the scores of their last tokens. */
export const joinedAnswers = (rows: readonly AlikeTexts[], padId: number, isScored = false): ComputedTexts =>
  joined(
    rows,
    rows.map((texts) => texts.map(({ labels }) => labels)),
    padId,
    isScored,
  );

/** Sum of the losses of an answer, in nats, and their number. */
interface AnswerLoss {
  sum: number;
  tokens: number;
}

/** Of each text of each row. Forward alone. */
export async function answerLosses(
  decoder: Pick<Decoder, 'loss'>,
  asked: readonly AlikeTexts[],
  padId: number,
): Promise<readonly (readonly AnswerLoss[])[]> {
  const found = asked.map((texts) => texts.map((): AnswerLoss => ({ sum: 0, tokens: 0 })));
  const { batch, placed } = joinedAnswers(asked, padId);
  await decoder.loss(batch, (losses) => {
    const { rows } = placed(losses);
    for (const [index, text] of rows.entries()) {
      const answer = found[text % asked.length]?.[Math.floor(text / asked.length)];
      if (answer === undefined) continue;
      answer.sum += losses.losses[index] ?? 0;
      answer.tokens += 1;
    }
  });
  return found;
}

/** `labels`: what of each text is asked for; `isScored`: a label is for its own token, and not for the one before it. */
function joined(
  alike: readonly AlikeTexts[],
  labels: readonly (readonly Int32Array[])[],
  padId: number,
  isScored: boolean,
): ComputedTexts {
  const layouts = alike.map(layoutOf);
  const rows = alike.map((texts, row): TokenRow => {
    const { shared, starts } = layouts[row] as RowLayout;
    const own = labels[row] ?? [];
    const whole = {
      ids: joinedArrays(texts.map(({ ids }, text) => ids.subarray(text === 0 ? 0 : shared))),
      labels: joinedArrays(own.map((asked, text) => asked.subarray(text === 0 ? 0 : shared))),
    };
    // in its text, nothing that is asked comes before it; here, it comes after another one
    if (!isScored) for (const start of starts.slice(1)) whole.labels[start] = IGNORED;
    return whole;
  });
  const batch = buildBatch(rowsOf(rows), Uint32Array.from(rows.keys()), padId);
  return {
    batch: { ...batch, forks: forksOf(batch, layouts) },
    placed: (tokens) => placedInTexts(tokens, layouts),
  };
}

/** Where in a row its texts are: what they share at its start, and what each goes on with from one of the `starts` to the next. */
interface RowLayout {
  readonly shared: number;
  readonly starts: readonly number[];
}

function layoutOf(texts: AlikeTexts): RowLayout {
  const shared = sharedTokens(texts);
  const starts: number[] = [];
  let end = shared;
  for (const { ids } of texts) {
    starts.push(end);
    end += ids.length - shared;
  }
  return { shared, starts };
}

function joinedArrays(parts: readonly Int32Array[]): Int32Array {
  const whole = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function forksOf({ length, lengths = [], ids }: Batch, layouts: readonly RowLayout[]): Int32Array {
  const forks = new Int32Array(ids.length).fill(FORK.padding);
  for (const [row, { shared, starts }] of layouts.entries()) {
    const at = row * length;
    forks.fill(FORK.shared, at, at + shared);
    for (const [text, start] of starts.entries())
      forks.fill(FORK.first + text, at + start, at + (starts[text + 1] ?? lengths[row] ?? length));
  }
  return forks;
}

/** All first texts of rows are numbered before all second ones, as {@link inPairs} takes them. */
function placedInTexts({ losses, rows, places }: TokenLosses, layouts: readonly RowLayout[]): TokenLosses {
  const numbers = new Int32Array(rows.length);
  const own = new Int32Array(rows.length);
  for (const [index, row] of rows.entries()) {
    const { shared, starts } = layouts[row] as RowLayout;
    const place = places[index] ?? 0;
    const text = Math.max(
      0,
      starts.findLastIndex((start) => start <= place),
    );
    numbers[index] = text * layouts.length + row;
    own[index] = text === 0 ? place : place - (starts[text] ?? 0) + shared;
  }
  return { losses, rows: numbers, places: own };
}
