import type { EvaluationReport } from '../../../compute/evaluation/report.js';
import type { Machine } from '../../../language/host/host.js';
import type { RunEvent } from '../../../language/ir/events.js';
import type { StageKind } from '../../../language/ir/program.js';
import type { Plan } from '../../../pipeline/planner/plan-json.js';
import type { Checklist } from '../checklist/index.js';
import type { RunStage } from '../runs/index.js';
import type { SetBy } from '../settings/explain.js';

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

/** A setting that had a value. */
export interface RanSetting {
  readonly path: string;
  /** The text in the file; left out where it has none. */
  readonly written?: string;
  /** As a pipeline would have it. */
  readonly effective: string;
  readonly from: SetBy['from'];
  /** In words: a place in the file, a parameter, the planner. */
  readonly setBy: string;
  /** Of what the planner chose. */
  readonly why?: string;
}

export interface RanStage {
  readonly name: string;
  readonly kind: StageKind;
  readonly settings: readonly RanSetting[];
}

/** What was run, and on what. */
export interface WhatRan {
  readonly params: readonly {
    readonly name: string;
    readonly value: string;
    readonly from: string;
    readonly doc: string;
  }[];
  readonly stages: readonly RanStage[];
  readonly machine: Machine;
  /** `linux x64, Node.js 20.20.0` */
  readonly system: string;
  readonly threads: number;
}

export interface ReportInput {
  /** Left out where the pipeline could not be read. */
  readonly ran?: WhatRan;
  readonly events: readonly (RunEvent & { readonly at?: number })[];
  /** Of the stages of the run, the whole curve of each. */
  readonly curves: readonly Pick<RunStage, 'name' | 'steps' | 'validations'>[];
  readonly plan?: Plan;
  /** What trackers were given of the run. */
  readonly tracked?: readonly {
    readonly stage: string;
    readonly tracker: string;
    readonly state: 'pending' | 'delivered';
    readonly where?: string | undefined;
    readonly problem?: string | undefined;
  }[];
  /** By stage name. */
  readonly rows: Readonly<Record<string, RowsReport>>;
  readonly lengths: Readonly<Record<string, readonly Lengths[]>>;
  readonly evaluations: Readonly<Record<string, EvaluationReport>>;
  /** As it is after the run; left out where nothing was planned. */
  readonly checklist?: Checklist;
  /** Files and digests of a stage's output. */
  readonly manifest: readonly {
    readonly stage: string;
    readonly key: string;
    readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  }[];
}
