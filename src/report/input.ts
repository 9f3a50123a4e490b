import type { RunEvent } from '../ir/events.js';
import type { Plan } from '../planner/types.js';

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

/** An answer before and after training. */
export interface Sample {
  readonly prompt: string;
  readonly reference: string;
  readonly baseline?: string;
  readonly answer: string;
}

/** What an evaluation found, with the interval of each figure where there is one. */
export interface EvaluationReport {
  readonly metrics: readonly {
    readonly name: string;
    readonly value: number;
    readonly interval?: readonly [number, number];
    readonly baseline?: number;
    readonly baselineInterval?: readonly [number, number];
  }[];
  readonly samples: readonly Sample[];
}

/** Rows by length: `counts[i]` rows have at most `width · (i + 1)` tokens. */
export interface Lengths {
  readonly split: string;
  readonly width: number;
  readonly counts: readonly number[];
}

export interface ReportInput {
  readonly events: readonly (RunEvent & { readonly at?: number })[];
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
