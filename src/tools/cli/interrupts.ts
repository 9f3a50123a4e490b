import { setMaxListeners } from 'node:events';
import { InterruptedError } from '../../pipeline/run/messages.js';
import type { Interrupts } from '../../pipeline/run/stage-process.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The first signal that this process was told to end by. */
let heard: (typeof SIGNALS)[number] | undefined;

/**
 * The first Ctrl-C (or SIGTERM) asks the stage to save its state and end; the second ends it at once.
 * `release` gives the signals back.
 */
export function watchSignals(said: (line: string) => void): Interrupts & { readonly release: () => void } {
  const stop = new AbortController();
  const kill = new AbortController();
  // every stage that runs listens
  setMaxListeners(0, stop.signal, kill.signal);
  const listen = (signal: (typeof SIGNALS)[number]): void => {
    heard ??= signal;
    if (kill.signal.aborted) return;
    if (stop.signal.aborted) {
      said('stopping at once');
      kill.abort(new InterruptedError());
    } else {
      said('interrupted: saving progress; interrupt again to stop at once');
      stop.abort(new InterruptedError());
    }
  };
  for (const signal of SIGNALS) process.on(signal, listen);
  return {
    stop: stop.signal,
    kill: kill.signal,
    release: () => {
      for (const signal of SIGNALS) process.off(signal, listen);
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
