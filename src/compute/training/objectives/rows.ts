import type { TokenRow } from '../batch.js';

/** Rows of preferences, read one at a time. The labels of a text are its answer: all that comes after the prompt. */
export interface PreferenceRows {
  readonly count: number;
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

/** A prompt with the answer to another one. */
export function mismatched(prompt: TokenRow, answer: TokenRow): TokenRow {
  const [asked, answered] = [promptLength(prompt), promptLength(answer)];
  const ids = new Int32Array(asked + answer.ids.length - answered);
  ids.set(prompt.ids.subarray(0, asked));
  ids.set(answer.ids.subarray(answered), asked);
  const labels = new Int32Array(ids.length).fill(-100);
  labels.set(answer.labels.subarray(answered), asked);
  return { ids, labels };
}

/** Tokens before the first one that is supervised. */
function promptLength({ labels }: TokenRow): number {
  const first = labels.findIndex((label) => label !== -100);
  return first < 0 ? labels.length : first;
}
