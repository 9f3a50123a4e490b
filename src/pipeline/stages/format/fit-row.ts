/** What is kept of a row that is longer than the format stage allows. */
import type { FormatSettings } from '../../../language/schemas/stages/format.js';
import type { DropReason } from '../row-report.js';
import { lastTokens } from './choice-rows.js';
import { cut, type EncodedRow, pieces } from './encode-row.js';
import type { RenderedRow } from './rendered-row.js';

export interface RowRemark {
  readonly reason: DropReason;
  readonly detail: string;
}

/** What is kept of a row: more than one piece under `overflow = split`, and of choices and preferences. */
export interface KeptRow {
  readonly rendered: RenderedRow;
  readonly kept: readonly EncodedRow[];
  /** What the reader of a report should know of it. */
  readonly remarks: readonly RowRemark[];
}

/** What became of a row, or why nothing is kept of it. */
export type EncodingResult = KeptRow | RowRemark;

/** Special tokens that are in texts of a row. */
export const specialRemarks = (special: readonly string[]): readonly RowRemark[] =>
  special.length === 0
    ? []
    : [{ reason: 'malformed', detail: `its text contains special tokens: ${special.join(' ')}` }];

/** Tokens of the longest of some texts, next to how many may be. */
function against(
  rows: readonly EncodedRow[],
  limit: number,
): { readonly longest: number; readonly detail: string } {
  const longest = Math.max(...rows.map(({ ids }) => ids.length));
  return { longest, detail: `${longest} tokens, at most ${limit} are allowed` };
}

/** A row that is too long is dropped, cut or split, as `overflow` says. `special`: special tokens in its texts. */
export function fitted(
  rendered: RenderedRow,
  whole: EncodedRow,
  { max_length: limit, overflow }: FormatSettings,
  special: readonly string[],
): EncodingResult {
  const { longest: tokens, detail: allowed } = against([whole], limit);
  if (whole.supervised === 0)
    return { reason: 'no_supervised_token', detail: 'no token of the row is supervised' };
  const remarks = specialRemarks(special);
  if (tokens <= limit) return { rendered, kept: [whole], remarks };
  if (overflow === 'drop') return { reason: 'too_long', detail: allowed };
  const kept = (overflow === 'split' ? pieces(whole, limit) : [cut(whole, limit)]).filter(
    ({ supervised }) => supervised > 0,
  );
  if (kept.length === 0)
    return {
      reason: 'no_supervised_token',
      detail: `its answer is beyond the first ${limit} of ${tokens} tokens`,
    };
  const done = overflow === 'split' ? `split into ${kept.length}` : 'cut';
  return { rendered, kept, remarks: [...remarks, { reason: 'too_long', detail: `${done}: ${allowed}` }] };
}

/** Both answers of a pair or none; of a longer one, its end is cut off. */
export function fittedPreference(
  rendered: RenderedRow,
  rows: readonly EncodedRow[],
  { max_length: limit, overflow }: FormatSettings,
  special: readonly string[],
): EncodingResult {
  const { longest, detail } = against(rows, limit);
  const remarks = specialRemarks(special);
  if (longest > limit && overflow !== 'truncate') return { reason: 'too_long', detail };
  const kept = rows.map((row) => ({ ...cut(row, limit), preference: row.preference }));
  if (kept.some(({ supervised }) => supervised === 0))
    return { reason: 'no_supervised_token', detail: 'no token of an answer is left to learn from' };
  return {
    rendered,
    kept,
    remarks: longest > limit ? [...remarks, { reason: 'too_long', detail: `cut: ${detail}` }] : remarks,
  };
}

/** All choices of a question or none; of a longer one, what is before it is cut off, as lm-evaluation-harness does. */
export function fittedChoices(
  rendered: RenderedRow,
  rows: readonly EncodedRow[],
  { max_length: limit, overflow }: FormatSettings,
  special: readonly string[],
): EncodingResult {
  const { longest, detail } = against(rows, limit);
  const remarks = specialRemarks(special);
  if (longest <= limit) return { rendered, kept: rows, remarks };
  const cut = overflow === 'truncate' ? rows.flatMap((row) => lastTokens(row, limit) ?? []) : [];
  if (cut.length < rows.length) return { reason: 'too_long', detail };
  return {
    rendered,
    kept: cut,
    remarks: [...remarks, { reason: 'too_long', detail: `cut at the start: ${detail}` }],
  };
}
