/**
 * Trainings are given to their trackers while the run goes on: by a process of its own, of the least priority, which reads the
 * journal as the run writes it. What it does, the run does not wait for, and what it lacks is delivered after the run.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../language/host/child-environment.js';
import type { Host } from '../../language/host/host.js';
import { isSecret } from '../../language/ir/values.js';
import { deliverCurves } from './deliver.js';
import type { Spool } from './spool.js';

export interface FollowTask {
  readonly cwd: string;
  readonly store?: string;
  readonly spool: Spool;
}

/** Milliseconds between two deliveries, at least. */
const PAUSE = 2000;

/** How much longer than a delivery the pause after it is: at most a twentieth of the time is spent on trackers. */
const REST = 19;

/** Delivers what is new, again and again, until `signal` is aborted. */
export async function follow(
  host: Host,
  spool: Spool,
  signal: AbortSignal,
  pause: number = PAUSE,
): Promise<void> {
  const delivered = new Map<string, number>();
  while (!signal.aborted) {
    const begun = host.clock();
    await deliverCurves(host, spool, delivered, signal);
    const rest = Math.max(pause, REST * (host.clock() - begun));
    await sleep(rest, undefined, { signal }).catch(() => {});
  }
}

/** Names of the variables that the secrets of trackers are in. */
const secretsOf = ({ trackings }: Spool): ReadonlySet<string> =>
  new Set(
    trackings.flatMap(({ args }) =>
      Object.values(args).flatMap((value) => (isSecret(value) ? [value.env] : [])),
    ),
  );

/** Starts that process. A system that has none to give goes without: the trackers get the training after the run. */
export function startFollowing(host: Pick<Host, 'cwd' | 'store'>, spool: Spool): { end(): Promise<void> } {
  const child = started(spool);
  if (child === undefined) return { end: async () => {} };
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const task: FollowTask = {
    cwd: host.cwd,
    ...(host.store === undefined ? {} : { store: host.store }),
    spool,
  };
  child.send(task, () => {});
  child.unref();
  child.channel?.unref();
  return {
    // what it has half written is the beginning of what is delivered after the run
    end: async () => {
      child.ref();
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function started(spool: Spool): ChildProcess | undefined {
  const secrets = secretsOf(spool);
  try {
    return fork(fileURLToPath(new URL('./live-child.js', import.meta.url)), [], {
      env: childEnvironment({}, (name) => secrets.has(name)),
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
  } catch {
    return undefined;
  }
}
