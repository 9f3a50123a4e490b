import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { RunEngine } from '../../language/ir/engines.js';
import type { Reason, RunEvent } from '../../language/ir/events.js';
import type { Search, Stage } from '../../language/ir/program.js';
import type { WeightResidency } from '../../language/ir/runtimes.js';
import type { Pace } from '../planner/plan-json.js';
import type { Capacity, StageLoad } from '../planner/side-by-side.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import type { Store, StoreEntry } from '../store/index.js';
import type { SharedTask } from './messages.js';
import type { Announcement } from './nodes/meeting.js';
import type { Interrupts } from './stage-process.js';

/** A stage with what the plan says about it. */
export interface StagePlan {
  readonly stage: Stage;
  readonly key: string;
  readonly parts: Readonly<Record<string, string>>;
  readonly reasons: readonly Reason[];
  readonly trainPlan?: TrainPlan;
  /** Trainings on the accelerate engine: what their rate is kept under. */
  readonly pace?: Pace;
  readonly residency?: WeightResidency;
  /** Format stages: threads that encode rows next to it. */
  readonly encoders?: number;
  /** Planned for the device, if tensors are on one. */
  readonly deviceBytes?: number;
  /** Steps after which a search compares it with other trials. */
  readonly rungs?: readonly number[];
  /** What it takes next to others. */
  readonly load: StageLoad;
}

export interface RunContext {
  readonly runId: string;
  readonly store: Store;
  readonly engine: RunEngine;
  readonly shared: SharedTask;
  readonly capacity: Capacity;
  /** The search whose trials the run makes. */
  readonly search?: Search;
  /** How often a stage is tried again whose fault may pass. */
  readonly retries: number;
  /** Digests of every stored output are checked, however large. */
  readonly verify: boolean;
  /** A file that a stage reads and that is not what the plan saw. */
  readonly changedFile: (plan: StagePlan) => string | undefined;
  /** Milliseconds, for durations. */
  readonly clock: () => number;
  readonly watcher: Watcher;
  /** Tells other machines what to join, where the run has several. */
  readonly announcement?: Announcement;
  readonly interrupts: Interrupts;
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
  /** Where it was interrupted while it ran: whether it ended by itself, with what it could save. */
  readonly saved?: boolean;
  /** Of the last checkpoint that this run saved. */
  readonly step?: number;
  readonly peakMemoryBytes: number;
}
