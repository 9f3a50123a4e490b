/** `NAME.plan.json` next to a pipeline: the plan that its authors agreed on. Contract: docs/schema/snapshot.json. */
import type { StageKind } from '../../../language/ir/types.js';
import type { BudgetOutline, DiagnosticSummary, FigureName } from '../types.js';

/** What the plan was made for; every machine that reads the file plans for the same. */
export type SnapshotMachine =
  /** One of the catalogue, perhaps with another size. */
  | {
      readonly kind: 'catalogue';
      readonly name: string;
      readonly memoryBytes?: number;
      readonly devices?: number;
    }
  | { readonly kind: 'memory'; readonly memoryBytes: number }
  /** As much memory as the pipeline's budget allows. */
  | { readonly kind: 'budget' };

/** Times are not among them: they are those of a machine. */
export type SnapshotFigures = Readonly<
  Partial<Record<Exclude<FigureName, 'peakBytes' | 'seconds'> | 'peakMiB', number>>
>;

export interface SnapshotStage {
  readonly name: string;
  readonly kind: StageKind;
  /** By path, as they would be in a file. */
  readonly settings: Readonly<Record<string, string>>;
  /** What the planner chose. */
  readonly chosen: Readonly<Record<string, string>>;
  readonly requires: readonly string[];
  readonly figures: SnapshotFigures;
}

export interface Snapshot {
  readonly version: 1;
  readonly machine: SnapshotMachine;
  /** As they were given on the command line. */
  readonly params: Readonly<Record<string, string>>;
  readonly stages: readonly SnapshotStage[];
  readonly budget: readonly BudgetOutline[];
  readonly diagnostics: readonly DiagnosticSummary[];
}

export const SNAPSHOT_VERSION = 1;
