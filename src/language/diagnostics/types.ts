/** Errors are data: a code, a place, and fixes; `diagnostics/render` turns them into text. */
import type { Span } from '../source/span.js';

export type Severity = 'error' | 'warning' | 'info';

/** Whether a fix may be applied without review: rustc's applicability. */
export type Applicability = 'safe' | 'maybe_incorrect' | 'has_placeholders';

export interface Fix {
  readonly title: string;
  readonly edits: readonly { readonly span: Span; readonly text: string }[];
  readonly applicability: Applicability;
}

/** A place in a file other than an `.ftp` source: line and column from 1, or 0 if there is none. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Diagnostic {
  /** `FTP0101`, …: the key of the catalogue and of `docs/errors/`; a word where a server answers a request with it. */
  readonly code: string;
  readonly severity: Severity;
  /** Id of a lint rule, as in `// allow(…)` and `ftpc.json`. */
  readonly rule?: string;
  /** One sentence, lower case, no full stop; names in backticks. */
  readonly message: string;
  /** In a source file (a span), in another file (a place), or nowhere (an error of the machine). */
  readonly at?: Span | Place;
  /** Describes the marked text, e.g. `no stage has this name`. */
  readonly label?: string;
  readonly related?: readonly { readonly at: Span; readonly message: string }[];
  readonly notes?: readonly string[];
  /** How to fix it. */
  readonly help?: string;
  readonly fixes?: readonly Fix[];
}

/** How to fix something: in words, and as edits. */
export type Hint = Pick<Diagnostic, 'help' | 'fixes'>;

export const isError = ({ severity }: Pick<Diagnostic, 'severity'>): boolean => severity === 'error';

/** Carries a diagnostic about something a user can cause from a stage or a reader to the command that prints it. */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}
