import type { EvaluationReport } from '../../../compute/evaluation/report.js';
import type { RunEvent } from '../../../language/ir/events.js';
import type { Plan } from '../../../pipeline/planner/plan-json.js';
import type { RunStage } from '../runs/index.js';

/** The `report` of a data or format stage. */
export interface RowsReport {
  readonly rows: number;
  readonly kept: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly dropped: readonly RowNote[];
  readonly warnings: readonly RowNote[];
}

export interface RowNote {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
  readonly detail: string;
}

/** Rows by length: `counts[i]` rows have at most `width · (i + 1)` tokens. */
export interface Lengths {
  readonly split: string;
  readonly width: number;
  readonly counts: readonly number[];
}

export interface ReportInput {
  readonly events: readonly (RunEvent & { readonly at?: number })[];
  /** Of the stages of the run, the whole curve of each. */
  readonly curves: readonly Pick<RunStage, 'name' | 'steps' | 'validations'>[];
  readonly plan?: Plan;
  /** By stage name. */
  readonly rows: Readonly<Record<string, RowsReport>>;
  readonly lengths: Readonly<Record<string, readonly Lengths[]>>;
  readonly evaluations: Readonly<Record<string, EvaluationReport>>;
  /** Files and digests of a stage's output. */
  readonly manifest: readonly {
    readonly stage: string;
    readonly key: string;
    readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  }[];
}
