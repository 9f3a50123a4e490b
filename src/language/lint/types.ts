/** What a lint rule is made of. */
import type { CheckedStage } from '../check/stages.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { StageKind } from '../ir/types.js';
import type { Lock } from '../schemas/lock-file.js';
import type { Span } from '../source/span.js';
import type { Param } from '../syntax/ast.js';

/** How a finding is reported; `error` makes `ftpc check` fail. */
export const LEVELS = ['off', 'info', 'warning', 'error'] as const;
export type Level = (typeof LEVELS)[number];

/** What a rule found: a diagnostic but for what the rule itself says. */
export type Finding = Omit<Diagnostic, 'code' | 'severity' | 'rule' | 'at'> & { readonly at: Span };

export interface Rule {
  /** Kebab-case: what `// allow(…)` and `ftpc.json` name. */
  readonly id: string;
  readonly code: `FTP10${number}`;
  /** Where `ftpc.json` says nothing. */
  readonly level: Level;
  /** What is reported, in one sentence. */
  readonly doc: string;
  /** Why it matters, with its figures and where they come from. */
  readonly reason: string;
  readonly check: (pipeline: Pipeline) => readonly Finding[];
}

/** The pipeline as rules see it: stages that are sound, whatever is wrong elsewhere. */
export interface Pipeline {
  /** By the name of their kind, in the order of the file. */
  of(kind: StageKind): readonly CheckedStage[];
  stage(name: string | undefined): CheckedStage | undefined;
  readonly stages: ReadonlyMap<string, CheckedStage>;
  /** The pipeline has no error: what is absent from it is not there. */
  readonly isWhole: boolean;
  /** Rows in the files of a data stage; see {@link Rows}. */
  rows(data: CheckedStage): Rows | undefined;
  /** What is in the file at a span. */
  text(span: Span): string;
  /** Where a setting's value is: see `places.ts`. */
  place(checked: CheckedStage, path: string): Place;
  /** A parameter that the pipeline's own file declares. */
  param(name: string): Param | undefined;
  readonly files: Files;
}

/** How many rows a data stage can have. */
export interface Rows {
  /** Lines that hold something, within `limit`; repetitions are not known yet, so there may be fewer rows. */
  readonly most: number;
  /** Share of them that goes to training. */
  readonly trainShare: number;
}

/** The files that a pipeline names; nothing here throws. */
export interface Files {
  /** Names in a folder, relative to the pipeline; none where it cannot be read. */
  list(folder: string): readonly string[];
  /** The first bytes of a file as UTF-8, or `undefined` where it cannot be read. */
  head(path: string, bytes: number): string | undefined;
  /** Beside the pipeline: `legal.lock` for `legal.ftp`; `undefined` where there is none. */
  readonly lock: Lock | undefined;
}

export interface Place {
  readonly span: Span;
  /** The value itself is at `span`, as a literal of this file: an edit there changes it, and nothing else. */
  readonly literal: boolean;
  /** Who else decided it: a preset. */
  readonly because?: string;
  /** A preset of the standard library chose it: its own text says why. */
  readonly byLibrary: boolean;
}
