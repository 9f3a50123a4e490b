/** What a stage's process is told and what it says. Sent with structured clone, so that NaN and typed arrays survive. */
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { StageEvent } from '../../language/ir/events.js';
import type { StageResult } from '../../language/ir/outputs.js';
import type { PinnedRepository } from '../../language/ir/program.js';
import type { StageContext } from '../stages/stage.js';

type SharedContext = Pick<StageContext, 'folder' | 'runtime' | 'threads' | 'deviceMemory'>;

/** What every stage of a run is told. */
export interface SharedTask extends SharedContext {
  /** Repositories of a hub that the program reads. */
  readonly repositories: readonly PinnedRepository[];
}

/** Everything a stage's context is rebuilt from. */
export interface StageTask
  extends SharedTask,
    Pick<StageContext, 'stage' | 'inputs' | 'engine' | 'trainPlan' | 'residency' | 'key' | 'crowded'> {
  /** Of a format stage: threads that encode rows next to it. */
  readonly encoders?: number;
  readonly cwd: string;
  /** Absolute path of the output folder, which exists and is empty. */
  readonly output: string;
  /** Absolute path of the work folder. */
  readonly work: string;
}

export type ToChild = { readonly type: 'task'; readonly task: StageTask } | { readonly type: 'stop' };

export type StageEnd =
  | { readonly how: 'done'; readonly result: StageResult }
  | {
      readonly how: 'failed';
      readonly diagnostic: Diagnostic;
      /** The trace of a bug. */
      readonly trace?: string;
      /** The process was killed because memory ran out. */
      readonly starved?: boolean;
    }
  /** `saved`: it ended by itself, with what it could save; otherwise it took too long. */
  | { readonly how: 'interrupted'; readonly saved: boolean };

export interface EndOfProcess {
  readonly end: StageEnd;
  readonly peakMemoryBytes: number;
}

export type FromChild =
  /** Its process has come so far that it can say so. */
  | { readonly type: 'begun' }
  | { readonly type: 'event'; readonly event: StageEvent }
  | { readonly type: 'diagnostic'; readonly diagnostic: Diagnostic }
  /** What the largest process of the stage's own had at most. */
  | { readonly type: 'memory'; readonly bytes: number }
  | ({ readonly type: 'end' } & EndOfProcess);

/** The reason of an aborted stage: save what can be saved, then throw it. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  constructor() {
    super('the run was interrupted');
  }
}
