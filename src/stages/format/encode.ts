import type { Tokenizer } from '../../models/types.js';
import { type Rendered, RowProblem } from './render.js';

export const IGNORED = -100;

/** A row as the trainer sees it. */
export interface EncodedRow {
  readonly ids: Int32Array;
  /** The id itself where the token is supervised, else {@link IGNORED}. */
  readonly labels: Int32Array;
  /** Labels that are predicted: the first position never is. */
  readonly supervised: number;
  /** Tokens before the first supervised one. */
  readonly promptTokens: number;
}

/**
 * Tokenizes a rendered row and proves its mask: the tokens of each prompt, and of each text through an answer's
 * end, are a prefix of the tokens of the whole. Where they are not, a token would straddle prompt and answer, and the
 * model would be asked in another way than it was trained. Throws a {@link RowProblem}.
 */
export function encodeRow(tokenizer: Tokenizer, rendered: Rendered, lossOn: 'assistant' | 'all'): EncodedRow {
  const ids = tokenizer.encode(rendered.text);
  if (lossOn === 'all') return summed(ids, ids.slice());
  const labels = new Int32Array(ids.length).fill(IGNORED);
  for (const { start, end } of rendered.answers) {
    const from = prefixLength(tokenizer, ids, rendered.text, start);
    const to = prefixLength(tokenizer, ids, rendered.text, end);
    labels.set(ids.subarray(from, to), from);
  }
  return summed(ids, labels);
}

function prefixLength(tokenizer: Tokenizer, ids: Int32Array, text: string, end: number): number {
  if (end === 0) return 0;
  if (end === text.length) return ids.length;
  const prefix = tokenizer.encode(text.slice(0, end));
  if (prefix.length <= ids.length && prefix.every((id, i) => id === ids[i])) return prefix.length;
  throw new RowProblem(
    'no_supervised_token',
    `a token straddles the border between prompt and answer (after …${JSON.stringify(text.slice(Math.max(0, end - 24), end))})`,
  );
}

export function summed(ids: Int32Array, labels: Int32Array): EncodedRow {
  let supervised = 0;
  let promptTokens = labels.length;
  for (let t = 0; t < labels.length; t++) {
    if (labels[t] === IGNORED) continue;
    if (t > 0) supervised++;
    if (promptTokens === labels.length) promptTokens = t;
  }
  return { ids, labels, supervised, promptTokens };
}

/** The first `length` tokens. */
export function cut(row: EncodedRow, length: number): EncodedRow {
  return row.ids.length <= length ? row : summed(row.ids.slice(0, length), row.labels.slice(0, length));
}

/** Pieces of at most `length` tokens; those in which nothing is supervised are left out. */
export function pieces(row: EncodedRow, length: number): readonly EncodedRow[] {
  const out: EncodedRow[] = [];
  for (let from = 0; from < row.ids.length; from += length) {
    const piece = summed(row.ids.slice(from, from + length), row.labels.slice(from, from + length));
    if (piece.supervised > 0) out.push(piece);
  }
  return out;
}
