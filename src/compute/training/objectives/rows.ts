import { IGNORED, type TokenRow } from '../batch.js';

/** Rows of preferences, read one at a time. The labels of a text are its answer: all that comes after the prompt. */
export interface PreferenceRows {
  readonly count: number;
  /** Tokens of a text at most: where what is made of two rows is cut. */
  readonly limit: number;
  /** Of pairs: the prompt of both answers is computed once. */
  readonly sharesPrompts?: boolean;
  /** Tokens of the longest text of a row. */
  lengthOf(row: number): number;
  /** Tokens of all texts of a row. */
  tokensOf(row: number): number;
  read(row: number): PreferenceRow;
}

export type PreferenceRow =
  | { readonly chosen: TokenRow; readonly rejected: TokenRow }
  | { readonly answer: TokenRow; readonly isDesirable: boolean };

/** The texts of a row: chosen before rejected. */
export const textsOf = (row: PreferenceRow): readonly TokenRow[] =>
  'answer' in row ? [row.answer] : [row.chosen, row.rejected];

/** A row whose prompt is asked, and the row whose answer follows. */
export type Mismatch = readonly [prompt: number, answer: number];

/** Each row of a batch with the one before it; the first one with the last. */
export const neighbours = (rows: Uint32Array): readonly Mismatch[] =>
  Array.from(rows, (row, index) => [row, rows.at(index - 1) ?? row]);

/** A prompt with the answer to another one, no longer than rows are. */
export function mismatchedText(source: PreferenceRows, [asked, answered]: Mismatch): TokenRow {
  const [prompt, answer] = [firstText(source.read(asked)), firstText(source.read(answered))];
  const [before, start] = [promptLength(prompt), promptLength(answer)];
  const ids = new Int32Array(before + answer.ids.length - start);
  ids.set(prompt.ids.subarray(0, before));
  ids.set(answer.ids.subarray(start), before);
  const labels = new Int32Array(ids.length).fill(IGNORED);
  labels.set(answer.labels.subarray(start), before);
  return { ids: ids.subarray(0, source.limit), labels: labels.subarray(0, source.limit) };
}

const firstText = (row: PreferenceRow): TokenRow => ('answer' in row ? row.answer : row.chosen);

/** Tokens before the first one that is supervised. */
export function promptLength({ labels }: TokenRow): number {
  const first = labels.findIndex((label) => label !== IGNORED);
  return first < 0 ? labels.length : first;
}
