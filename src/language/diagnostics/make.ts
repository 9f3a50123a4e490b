import type { Span } from '../source/span.js';
import {
  type Applicability,
  type Diagnostic,
  type Fix,
  type Place,
  type Severity,
  UserError,
} from './types.js';

/** A file as a whole, without line and column. */
export const wholeFile = (file: string): Place => ({ file, line: 0, column: 0 });

type Texts = Omit<Diagnostic, 'code' | 'severity' | 'at'>;

/** The message by itself, or, where it is long, as one of the texts. */
const of =
  (severity: Severity) =>
  (
    code: string,
    at: Diagnostic['at'],
    text: string | Texts,
    details: Omit<Texts, 'message'> = {},
  ): Diagnostic => {
    const { message, ...others } = typeof text === 'string' ? { message: text, ...details } : text;
    return { code, severity, message, at, ...others };
  };

export const error = of('error');
export const warning = of('warning');
export const info = of('info');

/** An error to be thrown. */
export const userError = (...fields: Parameters<typeof error>): UserError => new UserError(error(...fields));

/** What was written, where a message quotes it: its beginning, if it is long. */
export const clipped = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** A fix with one edit: `text` replaces the text at `span`. */
export const replace = (
  title: string,
  span: Span,
  text: string,
  applicability: Applicability = 'safe',
): Fix => ({ title, edits: [{ span, text }], applicability });

/** A fix that writes something else in the same place, which is probably what is meant. */
export const rewrite = (span: Span, text: string): Fix =>
  replace(`write \`${text}\``, span, text, 'maybe_incorrect');

export const insert = (title: string, file: string, at: number, text: string): Fix =>
  replace(title, { file, start: at, end: at }, text);

/** Of a string in quotes, what is between them. */
export const withinQuotes = (at: Span): Span => ({ ...at, start: at.start + 1, end: at.end - 1 });

/** Names in backticks: `a`, `b` and `c`. */
export function named(names: readonly string[], joint: 'and' | 'or' = 'or'): string {
  const quoted = names.map((name) => `\`${name}\``);
  const last = quoted.at(-1) ?? '';
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(', ')} ${joint} ${last}`;
}

/** `3%` for 0.03. */
export const percentText = (share: number): string => `${Number((share * 100).toPrecision(4))}%`;

/** `1 row`, `3 rows` */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** `an integer`, `a string`, `an HTML file`, ``an `eval` stage``: by how the noun is spoken. */
export const withArticle = (noun: string): string =>
  `${/^`?(?:[aeiou]|HTML|xz)(?!TF)/i.test(noun) ? 'an' : 'a'} ${noun}`;
