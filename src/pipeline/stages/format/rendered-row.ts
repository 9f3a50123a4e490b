import type { ChatTemplate } from '../../../compute/models/types.js';
import type { FormatSettings } from '../../../language/schemas/stages/format.js';
import type { OwnName } from '../data/column-names.js';
import type { DropReason } from '../row-report.js';

interface AnswerSpan {
  /** UTF-16 offsets into the text, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** Of each of its tokens in the loss, from 0 to 1; default: 1. */
  readonly weight?: number;
}

/** A row as text, with the parts that are answers. */
export interface RenderedRow {
  readonly text: string;
  /** In order; the end token of an answer belongs to it. */
  readonly answers: readonly AnswerSpan[];
  /** The text before the last answer, and that answer without end token; both `''` if nothing is asked. */
  readonly prompt: string;
  readonly answer: string;
  /** Whether the token that the tokenizer puts before a text comes first; a chat template writes its own. */
  readonly begins: boolean;
  /** The system message, where there is one. */
  readonly system?: string;
  /** Whether the template writes what is before an answer otherwise where the model is to write it. */
  readonly askedOtherwise?: boolean;
  /** The texts that the row brought. */
  readonly given: readonly string[];
}

/** What a template may use besides the row. */
export interface RenderContext {
  readonly chat?: ChatTemplate;
  /** `''` if the model names no end token. */
  readonly endToken: string;
  /** Tokens after which a chat template's answer has ended. */
  readonly turnEnds: readonly string[];
  readonly lossOn: FormatSettings['loss_on'];
  /** A text as answers are read: without special tokens. */
  shown(text: string): string;
  /** Texts of the stage's own, in place of the columns `prompt` and `completion`. */
  readonly patterns?: RowPatterns;
  /** What the source calls a column, for what is wrong with it. */
  readonly own: OwnName;
  /** Rows that are shown solved before others. */
  readonly examples: Examples;
}

export type Row = Readonly<Record<string, unknown>>;

export type WriteRow = (row: Row) => string;

/** Texts of one's own. */
export interface RowPatterns {
  /** What is before the answer, and not trained on. */
  readonly prompt?: WriteRow;
  readonly completion: WriteRow;
}

/** Rows that are shown solved before others; `ofAnySubject`: also before one of another subject. */
export interface Examples {
  readonly rows: readonly Row[];
  readonly ofAnySubject?: boolean;
}

/** A row that can't be written out. */
export class RowProblem extends Error {
  override readonly name = 'RowProblem';
  constructor(
    readonly reason: Extract<
      DropReason,
      'missing_column' | 'wrong_type' | 'empty' | 'malformed' | 'no_supervised_token'
    >,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** A column that must hold text. */
export function text(row: Row, usual: string, own: OwnName): string {
  const value = row[usual];
  const name = own(usual);
  if (value === undefined || value === null) throw new RowProblem('missing_column', `no column \`${name}\``);
  if (typeof value !== 'string') throw new RowProblem('wrong_type', `\`${name}\` is not a string`);
  if (value.trim() === '') throw new RowProblem('empty', `\`${name}\` is empty`);
  return value;
}

/** A column that may be missing or blank. */
export function optionalText(row: Row, usual: string, own: OwnName): string | undefined {
  const value = row[usual] ?? '';
  if (typeof value !== 'string') throw new RowProblem('wrong_type', `\`${own(usual)}\` is not a string`);
  return value.trim() === '' ? undefined : value;
}
