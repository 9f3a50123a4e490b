import { KnownStretches, type Tokenizer } from '../../../compute/models/types.js';
import type { FormatSettings } from '../../../language/schemas/stages/format.js';
import { type RenderedRow, RowProblem } from './rendered-row.js';

export const IGNORED = -100;

/** A choice as a row: which one of how many, whether it is right, its text, and the characters by which its score is normalised. */
export interface Choice {
  readonly at: number;
  readonly of: number;
  readonly right: boolean;
  readonly text: string;
  readonly characters: number;
}

/** Of two answers the better or the other one; of one that is judged, whether it is good. */
export type PreferenceSide = 'chosen' | 'rejected';

/** A row as the trainer sees it. */
export interface EncodedRow {
  readonly ids: Int32Array;
  /** The id itself where the token is supervised, else {@link IGNORED}. */
  readonly labels: Int32Array;
  /** Of each token in the loss, where one that is supervised counts less than others. */
  readonly weights?: Float32Array;
  /** Labels that are predicted: the first position never is. */
  readonly supervised: number;
  /** Tokens before the last answer, `0` where the row does not hold a prompt whole. */
  readonly promptTokens: number;
  /** Where the row is one choice of a question. */
  readonly choice?: Choice;
  /** Where the row is one answer of a preference. */
  readonly preference?: { readonly side: PreferenceSide; readonly answer: string };
}

/**
 * Tokenizes a rendered row and proves its mask: the tokens of each prompt, and of each text through an answer's
 * end, are a prefix of the tokens of the whole. Where they are not, a token would straddle prompt and answer, and the
 * model would be asked in another way than it was trained. Throws a {@link RowProblem}.
 */
export function encodeRow(
  tokenizer: Tokenizer,
  rendered: RenderedRow,
  lossOn: FormatSettings['loss_on'],
): EncodedRow {
  const { text, answers, prompt, begins } = rendered;
  const begin = begins && tokenizer.beginId !== undefined ? [tokenizer.beginId] : [];
  const known = new KnownStretches();
  const encoded = tokenizer.encode(text, known);
  const ids = begin.length === 0 ? encoded : new Int32Array(begin.length + encoded.length);
  if (ids !== encoded) {
    ids.set(begin);
    ids.set(encoded, begin.length);
  }
  const tokensThrough = (end: number): number | undefined => {
    if (end === text.length) return ids.length;
    const prefix = end === 0 ? new Int32Array(0) : tokenizer.encode(text.slice(0, end), known);
    const length = begin.length + prefix.length;
    return prefix.every((id, i) => id === ids[begin.length + i]) ? length : undefined;
  };
  if (lossOn === 'all') {
    const promptTokens = prompt === '' ? 0 : (tokensThrough(prompt.length) ?? 0);
    return { ids, labels: ids.slice(), supervised: supervisedIn(ids), promptTokens };
  }
  const labels = new Int32Array(ids.length).fill(IGNORED);
  const isWeighted = answers.some(({ weight = 1 }) => weight !== 0 && weight !== 1);
  const weights = isWeighted ? new Float32Array(ids.length).fill(1) : undefined;
  let promptTokens = 0;
  for (const { start, end, weight = 1 } of answers) {
    const from = tokensThrough(start);
    promptTokens = from ?? 0;
    if (weight === 0) continue;
    const to = tokensThrough(end);
    if (from === undefined) throw straddled(text, start, 'before');
    if (to === undefined) throw straddled(text, end, 'after');
    labels.set(ids.subarray(from, to), from);
    weights?.fill(weight, from, to);
  }
  return {
    ids,
    labels,
    ...(weights && { weights }),
    supervised: supervisedIn(labels),
    promptTokens: prompt === '' ? 0 : promptTokens,
  };
}

/** Characters on either side of a border that a report shows. */
const SHOWN = 16;

function straddled(text: string, at: number, side: 'before' | 'after'): RowProblem {
  const around = [text.slice(Math.max(0, at - SHOWN), at), text.slice(at, at + SHOWN)];
  return new RowProblem(
    'no_supervised_token',
    `a token spans the boundary ${side} the answer: ${around.map((part) => JSON.stringify(part)).join(' | ')}; white space is often the cause`,
  );
}

/** Labels that are predicted. */
export function supervisedIn(labels: Int32Array): number {
  let count = 0;
  for (let t = 1; t < labels.length; t++) if (labels[t] !== IGNORED) count++;
  return count;
}

/** Tokens `from … to` of a row. A prompt that is cut, or has nothing after it, does not count. */
function part({ ids, labels, weights, promptTokens }: EncodedRow, from: number, to: number): EncodedRow {
  const own = labels.slice(from, to);
  return {
    ids: ids.slice(from, to),
    labels: own,
    ...(weights && { weights: weights.slice(from, to) }),
    supervised: supervisedIn(own),
    promptTokens: from === 0 && promptTokens < to ? promptTokens : 0,
  };
}

/** The first `length` tokens. */
export function cut(row: EncodedRow, length: number): EncodedRow {
  return row.ids.length <= length ? row : part(row, 0, length);
}

/** Pieces of at most `length` tokens; those in which nothing is supervised are left out. */
export function pieces(row: EncodedRow, length: number): readonly EncodedRow[] {
  const out: EncodedRow[] = [];
  for (let from = 0; from < row.ids.length; from += length) {
    const piece = part(row, from, from + length);
    if (piece.supervised > 0) out.push(piece);
  }
  return out;
}
