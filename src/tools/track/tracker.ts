/** What a tracker is: something that is given a training as a whole, and takes what it does not have. */
import type { Value } from '../../language/ir/program.js';
import type { TrackedRun } from './tracked-run.js';

export type TrackerArgs = Readonly<Record<string, Value>>;

interface Delivery {
  /** A folder or an address, for people. */
  readonly where: string;
}

export interface TrackerHost {
  readonly cwd: string;
  /** Of a declared secret, which is read where it is sent and nowhere else; `undefined` where it is not set. */
  secret(value: Value | undefined): string | undefined;
  /** Aborted once a tracker has taken too long: what is left is for another time. */
  readonly signal: AbortSignal;
}

export interface Tracker {
  /** What tells one tracker from another, for people. */
  place(args: TrackerArgs): string;
  /**
   * Delivers what the tracker lacks; done twice, nothing is there twice. Throws an `Error` whose message says what the tracker did.
   */
  deliver(run: TrackedRun, args: TrackerArgs, host: TrackerHost): Promise<Delivery>;
}
