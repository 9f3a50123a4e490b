/** Lint rules, and the pipeline as they see it. */
import type { CheckedStage } from '../check/stages.js';
import { rewrite } from '../diagnostics/make.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Call, StageKind } from '../ir/program.js';
import type { Lock } from '../schemas/lock-file.js';
import type { Span } from '../source/span.js';
import type { Param } from '../syntax/ast.js';

/** How a finding is reported; `error` makes `ftpc check` fail. */
export const LEVELS = ['off', 'info', 'warning', 'error'] as const;
export type Level = (typeof LEVELS)[number];

/** What a rule found: a diagnostic without the fields that are the same for the whole rule. */
export type Finding = Omit<Diagnostic, 'code' | 'severity' | 'rule' | 'at'> & { readonly at: Span };

export interface Rule {
  /** Kebab-case, as in `// allow(…)` and `ftpc.json`. */
  readonly id: string;
  readonly code: `FTP${number}`;
  /** Unless `ftpc.json` sets another one. */
  readonly level: Level;
  /** What is reported, in one sentence. */
  readonly doc: string;
  /** Why it matters, with figures and their source. */
  readonly reason: string;
  readonly check: (pipeline: Pipeline) => readonly Finding[];
}

/** A check that looks at each stage of a kind by itself. */
export const each =
  (
    kind: StageKind,
    check: (checked: CheckedStage, pipeline: Pipeline) => Finding | undefined,
  ): Rule['check'] =>
  (pipeline) =>
    pipeline.of(kind).flatMap((checked) => check(checked, pipeline) ?? []);

/**
 * A finding about the value of a setting; none where a preset of the standard library sets it. `write`: what to write
 * instead, which a fix does where `isWritten`: by default, where the value is a literal.
 */
export function aboutValue(
  { span, literal, because, byLibrary }: SettingPlace,
  { write, isWritten = literal, ...found }: Omit<Finding, 'at'> & { write?: string; isWritten?: boolean },
): Finding | undefined {
  if (byLibrary) return undefined;
  const fixes = write !== undefined && isWritten ? [rewrite(span, write)] : [];
  return { at: span, fixes, ...found, label: because ?? found.label };
}

/** The pipeline as rules see it: only stages without errors. */
export interface Pipeline {
  /** Stages of a kind, in the order of the file. */
  of(kind: StageKind): readonly CheckedStage[];
  stage(name: string | undefined): CheckedStage | undefined;
  readonly stages: ReadonlyMap<string, CheckedStage>;
  /** Whether the pipeline has no errors, so that no stage is missing. */
  readonly isWhole: boolean;
  /** Rows in the files of a data stage; see {@link RowCount}. */
  rows(data: CheckedStage): RowCount | undefined;
  /** Bytes of the files that hold a model's weights; `undefined` if they are not here. */
  weightBytes(model: Call): number | undefined;
  /** The text of the file at a span. */
  text(span: Span): string;
  /** Where a setting's value comes from; see `places.ts`. */
  place(checked: CheckedStage, path: string): SettingPlace;
  /** A parameter that the pipeline itself declares. */
  param(name: string): Param | undefined;
  readonly files: PipelineFiles;
}

/** How many rows a data stage can have. */
export interface RowCount {
  /** Lines that are not empty, up to `limit`. An upper bound, since duplicates are not dropped yet. */
  readonly most: number;
  /** Fraction of them in the training split. */
  readonly trainShare: number;
}

/** The files that a pipeline names; nothing here throws. */
export interface PipelineFiles {
  /** Names in a folder, relative to the pipeline; none if it cannot be read. */
  list(folder: string): readonly string[];
  /** The first bytes of a file as UTF-8, or `undefined` if it cannot be read. */
  head(path: string, bytes: number): string | undefined;
  /** The lock file next to the pipeline: `legal.lock` for `legal.ftp`; `undefined` if there is none. */
  readonly lock: Lock | undefined;
}

export interface SettingPlace {
  readonly span: Span;
  /** Whether the value is a literal at `span`: an edit there changes it and nothing else. */
  readonly literal: boolean;
  /** The preset that set it, as a label. */
  readonly because?: string;
  /** Whether a preset of the standard library set it, whose documentation says why. */
  readonly byLibrary: boolean;
}
