import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { duration } from '../../pipeline/planner/quantities.js';
import { InterruptedError } from '../../pipeline/run/messages.js';
import type { Interrupts } from '../../pipeline/run/stage-process.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first signal that this process was told to end by. */
let heard: NodeJS.Signals | undefined;

/** What else tells a run to end. */
export interface Preemption {
  readonly signals: readonly NodeJS.Signals[];
  /** That appear. */
  readonly files: readonly string[];
}

interface SignalOptions extends Partial<Preemption> {
  /** Seconds from being told to end until being ended. */
  readonly notice?: number;
  /** What names of files are relative to; default: the directory of this process. */
  readonly cwd?: string;
}

/** Milliseconds between two looks at files. */
const LOOK = 500;

/**
 * The first Ctrl-C (or SIGTERM, or what else is named) asks the stages to save their state and end; the second ends them at
 * once. `release` gives the signals back.
 */
export function watchSignals(
  said: (line: string) => void,
  { notice, signals = [], files = [], cwd = '' }: SignalOptions = {},
): Interrupts & { readonly release: () => void } {
  const stop = new AbortController();
  const kill = new AbortController();
  // every stage that runs listens
  setMaxListeners(0, stop.signal, kill.signal);
  const within = notice === undefined ? '' : ` within ${duration(notice)}`;
  const ask = (why: string): void => {
    said(`${why}: saving progress${within}; interrupt again to stop at once`);
    stop.abort(new InterruptedError());
  };
  const listen = (signal: NodeJS.Signals): void => {
    heard ??= signal;
    if (kill.signal.aborted) return;
    if (stop.signal.aborted) {
      said('stopping at once');
      kill.abort(new InterruptedError());
    } else ask('interrupted');
  };
  const all = [...SIGNALS, ...signals];
  for (const signal of all) process.on(signal, listen);
  const look =
    files.length === 0
      ? undefined
      : setInterval(() => {
          const found = files.find((file) => existsSync(resolve(cwd, file)));
          if (found !== undefined && !stop.signal.aborted) ask(`\`${found}\` is there`);
        }, LOOK);
  look?.unref();
  return {
    stop: stop.signal,
    kill: kill.signal,
    notice,
    release: () => {
      clearInterval(look);
      for (const signal of all) process.off(signal, listen);
    },
  };
}

/**
 * Ends the process by the signal that interrupted it, as if nobody had listened: a shell ends its loop only if it sees
 * that. Returns where there was no signal, and on Windows, which has none.
 */
export function endBySignal(): void {
  if (heard === undefined || process.platform === 'win32') return;
  process.removeAllListeners(heard);
  process.kill(process.pid, heard);
}
