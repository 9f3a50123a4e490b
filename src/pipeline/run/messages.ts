/** What a stage's process is told and what it says. Sent with structured clone, so that NaN and typed arrays survive. */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { StageEvent } from '../../language/ir/events.js';
import type { StageResult } from '../../language/ir/outputs.js';
import type { PinnedRepository, Stage } from '../../language/ir/program.js';
import type { RuntimeName, WeightResidency } from '../../language/ir/runtimes.js';
import type { Artefact } from '../stages/stage.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';

/** Everything a stage's context is rebuilt from. */
export interface StageTask {
  readonly stage: Stage;
  readonly inputs: Readonly<Record<string, Artefact>>;
  readonly folder: string;
  readonly cwd: string;
  /** Absolute path of the output folder, which exists and is empty. */
  readonly output: string;
  /** Absolute path of the work folder. */
  readonly work: string;
  readonly trainPlan?: TrainPlan;
  readonly residency?: WeightResidency;
  readonly key: string;
  readonly runtime: RuntimeName;
  readonly threads: number;
  /** Bytes that tensors may take on a device. */
  readonly deviceMemory?: number;
  /** Repositories of a hub that the program reads. */
  readonly repositories: readonly PinnedRepository[];
}

export type ToChild = { readonly type: 'task'; readonly task: StageTask } | { readonly type: 'stop' };

export type FromChild =
  | { readonly type: 'event'; readonly event: StageEvent }
  | { readonly type: 'diagnostic'; readonly diagnostic: Diagnostic }
  | { readonly type: 'done'; readonly result: StageResult; readonly peakMemoryBytes: number }
  | {
      readonly type: 'failed';
      readonly diagnostic: Diagnostic;
      /** The trace of a bug. */
      readonly trace?: string;
      readonly peakMemoryBytes: number;
    }
  | { readonly type: 'interrupted'; readonly peakMemoryBytes: number };

/** The reason of an aborted stage: save what can be saved, then throw it. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  constructor() {
    super('the run was interrupted');
  }
}
