import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Reason, RunEvent } from '../../language/ir/events.js';
import type { PinnedRepository, Stage } from '../../language/ir/program.js';
import type { RuntimeName, WeightResidency } from '../../language/ir/runtimes.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import type { Store, StoreEntry } from '../store/index.js';

/** A stage with what the plan says about it. */
export interface StagePlan {
  readonly stage: Stage;
  readonly key: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly reasons: readonly Reason[];
  readonly trainPlan?: TrainPlan;
  readonly residency?: WeightResidency;
}

export interface RunContext {
  readonly runId: string;
  readonly store: Store;
  /** Folder of the pipeline file. */
  readonly folder: string;
  readonly runtime: RuntimeName;
  readonly threads: number;
  /** Bytes that tensors may take on a device, as the pipeline says. */
  readonly deviceMemory?: number;
  /** Repositories of a hub that the program reads. */
  readonly repositories: readonly PinnedRepository[];
  /** Digests of every stored output are checked, however large. */
  readonly verify: boolean;
  /** A file that a stage reads and that is not what the plan saw. */
  readonly changedFile: (plan: StagePlan) => string | undefined;
  /** Milliseconds, for durations. */
  readonly clock: () => number;
}

/** Hears of everything that happens in a run. */
export interface Watcher {
  event(event: RunEvent): void;
  diagnostic(diagnostic: Diagnostic): void;
}

/** How a stage came out: found, made, or neither. */
export interface StageOutcome {
  readonly entry?: StoreEntry;
  readonly cached: boolean;
  readonly interrupted: boolean;
  readonly peakMemoryBytes: number;
}
