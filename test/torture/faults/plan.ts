/** What a run is to suffer, handed to its processes in a variable of the environment. */

/** The variable with a {@link FaultPlan} as JSON, and that with the name of a process. */
export const PLAN = 'FTPC_FAULTS';
export const PROCESS = 'FTPC_FAULTS_PROCESS';

/** The process that the command line started; the others are `stage-1`, `stage-2`, …, as they were begun. */
export const RUN = 'run';

export const KILLS = ['self', 'torn', 'parent', 'all'] as const;
/**
 * `self`: the process that makes the call, before it; `torn`: the same, half of what it writes later; `parent`: the run
 * of a stage that makes the call, which goes on; `all`: every process at once, as a power cut does.
 */
export type Kill = (typeof KILLS)[number];

export const ERRORS = ['ENOSPC', 'EIO'] as const;
/** `ENOSPC` stays: every call after it that needs space fails too, in every process. `EIO` happens once. */
export type DiskErrorCode = (typeof ERRORS)[number];

/** One call that changes a file, found again by its number in its thread of its process. */
export interface Call {
  /** `run`, `stage-1`, or with `.thread` that of a worker. */
  readonly process: string;
  readonly number: number;
}

export interface MarkedCall extends Call {
  /** As `node:fs` names it. */
  readonly name: string;
  /** Relative to the root. */
  readonly path: string;
}

export interface FaultPlan {
  /** Absolute: calls outside of it are neither counted nor hindered. */
  readonly root: string;
  /** A file outside of the root that gets one line of JSON, a {@link MarkedCall}, per call. */
  readonly log?: string;
  readonly at?: Call;
  readonly kill?: Kill;
  readonly error?: DiskErrorCode;
  /** A file outside of the root that exists from the moment on at which it has happened. */
  readonly hit?: string;
  /** Milliseconds by which the clock jumps, one after another at every look at it, from the start again after the last. */
  readonly clock?: readonly number[];
}
