/** What a reviewer compares: a plan as plain data, without anything of the machine that made it. */
import type { Reason } from '../../language/ir/events.js';
import type { Origin, PresetOrigin, Reference, StageKind } from '../../language/ir/program.js';

/** A setting as it counts, as it would be in a file. */
export interface SettingOutline {
  /** `16`, `adamw`, `adapter.best`, `file("prompt.md") sha256:3f2a…`. */
  readonly text: string;
  readonly from?: Origin;
  readonly preset?: PresetOrigin;
  /** Of a setting that refers to a stage: a renamed stage is no change. */
  readonly refers?: Reference;
}

/** Sizes of a stage, in the order in which they are shown. */
export const FIGURES = [
  'rows',
  'tokens',
  'steps',
  'tokensSeen',
  'trainableParameters',
  'totalParameters',
  'publishedFiles',
  'publishedBytes',
  'peakBytes',
  'seconds',
] as const;
export type FigureName = (typeof FIGURES)[number];
/** `null` or absent: not known, or the stage has none. */
export type Figures = Readonly<Partial<Record<FigureName, number | null>>>;

export interface StageOutline {
  readonly name: string;
  readonly kind: StageKind;
  /** By path: `lora.rank`, `optimizer.rate`. What the planner chose is among them, with `from: planner`. */
  readonly settings: Readonly<Record<string, SettingOutline>>;
  /** Conditions as words, evaluated as far as they are known, sorted. */
  readonly requires: readonly string[];
  readonly figures: Figures;
  /** What its output is a digest of; absent if only the shape of a plan is kept. */
  readonly identity?: { readonly key: string; readonly parts: Readonly<Record<string, string>> };
}

export interface BudgetOutline {
  readonly require: string;
  /** `null`: not known before a run, or only on the machine that runs it. */
  readonly holds: boolean | null;
}

export interface DiagnosticSummary {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

/** What would compute, as a budget says it: `engine`, and of the accelerate engine `devices`, `nodes` and `sharding`. */
export type ComputingOutline = Readonly<Record<string, string>>;

export interface PlanOutline {
  /** Left out: the embedded engine. */
  readonly computing?: ComputingOutline;
  readonly stages: readonly StageOutline[];
  readonly budget: readonly BudgetOutline[];
  readonly diagnostics: readonly DiagnosticSummary[];
  readonly valid: boolean;
}

/** Before and after; `null` if there is none. */
export interface SettingChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
  /** Who set what counts now; of a setting that is gone, who had set it. */
  readonly from?: Origin;
  readonly preset?: PresetOrigin;
}

export interface FigureChange {
  readonly figure: FigureName;
  readonly before: number | null;
  readonly after: number | null;
}

export interface ListChange<T = string> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
}

type StageStatus = 'added' | 'removed' | 'changed' | 'unchanged';

export interface StageChange {
  readonly name: string;
  readonly kind: StageKind;
  readonly status: StageStatus;
  /** The name it had. */
  readonly renamedFrom?: string;
  readonly settings: readonly SettingChange[];
  readonly requires: ListChange;
  readonly figures: readonly FigureChange[];
  /** Whether its output differs from the one before; `null` if that is not known. */
  readonly reruns: boolean | null;
  /** Its own reasons; what it only inherits is in `because`. */
  readonly reasons: readonly Reason[];
  /** Stages that it reads and that run again. */
  readonly because: readonly string[];
}

/** `null`: the engine has no such setting. */
export interface ComputingChange {
  readonly setting: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface BudgetChange {
  readonly require: string;
  readonly change: 'added' | 'removed' | 'broken' | 'kept';
  readonly holds: boolean | null;
}

/** Where the plan before is from. */
export type Base =
  | { readonly kind: 'ref'; readonly ref: string; readonly file: string | null }
  | { readonly kind: 'snapshot'; readonly file: string };

/** A machine that was asked for; this one is not named, so that two machines say the same. */
export interface MachineRequest {
  readonly name: string | null;
  readonly memoryBytes: number | null;
  readonly devices: number | null;
}

/** What the comparison had to assume. */
export type Note =
  /** What the pipeline was called. */
  | { readonly kind: 'renamed'; readonly from: string }
  /** A parameter that was given, and that the earlier pipeline does not have. */
  | { readonly kind: 'unknown_param'; readonly name: string }
  /** Files that git does not know: those of the working tree count on both sides. */
  | { readonly kind: 'untracked'; readonly files: readonly string[] };

/** `ftpc plan --against --json`; contract: docs/schema/review.json. */
export interface Comparison {
  readonly version: 1;
  readonly pipeline: string;
  readonly base: Base;
  readonly machine: MachineRequest;
  /** Something differs that counts: not a layout, not a name. */
  readonly changed: boolean;
  /** There is nothing to compare with: every stage is new. */
  readonly isNew: boolean;
  /** Whether a run of the new plan can begin. */
  readonly valid: boolean;
  /** Left out where the same computes in the same place. */
  readonly computing?: readonly ComputingChange[];
  readonly stages: readonly StageChange[];
  /** Over all stages: peak memory is the largest, the others are sums. */
  readonly totals: readonly FigureChange[];
  readonly budget: readonly BudgetChange[];
  readonly diagnostics: ListChange<DiagnosticSummary>;
  readonly notes: readonly Note[];
}
