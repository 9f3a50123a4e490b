/** Errors are data: a code, a place, and fixes; text for people is made by `diagnostics/render`. */
import type { Span } from '../source/span.js';

export type Severity = 'error' | 'warning' | 'info';

/** What a fix may do without being read first: rustc's applicability. */
export type Applicability = 'safe' | 'maybe_incorrect' | 'has_placeholders';

export interface Fix {
  readonly title: string;
  readonly edits: readonly { readonly span: Span; readonly text: string }[];
  readonly applicability: Applicability;
}

/** A place in a data or model file that is no `.ftp` source: line and column from 1, 0 where there is none. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Diagnostic {
  /** `FTP0101`, …: the key of the catalogue and of `docs/errors/`. */
  readonly code: string;
  readonly severity: Severity;
  /** Of a lint: the id that `// allow(…)` and `ftpc.json` name. */
  readonly rule?: string;
  /** One sentence, lower case, no full stop; names in backticks. */
  readonly message: string;
  /** Where it is: in a source file (a span), elsewhere (a place), or nowhere (a machine's fault). */
  readonly at?: Span | Place;
  /** What the marked text is, e.g. `no stage has this name`. */
  readonly label?: string;
  readonly related?: readonly { readonly at: Span; readonly message: string }[];
  readonly notes?: readonly string[];
  /** How to fix it. */
  readonly help?: string;
  readonly fixes?: readonly Fix[];
}

export const isError = ({ severity }: Pick<Diagnostic, 'severity'>): boolean => severity === 'error';

/** Carries a diagnostic out of a stage or a reader to the rim, which prints it: for what a user can cause. */
export class UserError extends Error {
  override readonly name = 'UserError';
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}
