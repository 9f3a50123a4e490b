import { InterruptedError } from '../../pipeline/run/messages.js';
import type { Interrupts } from '../../pipeline/run/stage-process.js';

/**
 * The first Ctrl-C (or SIGTERM) asks the stage to save its state and end; the second ends it at once.
 * The returned function gives the signals back.
 */
export function watchSignals(said: (line: string) => void): Interrupts & { readonly release: () => void } {
  const stop = new AbortController();
  const kill = new AbortController();
  const heard = (): void => {
    if (stop.signal.aborted) kill.abort(new InterruptedError());
    else {
      said('interrupted: saving progress; interrupt again to stop at once');
      stop.abort(new InterruptedError());
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, heard);
  return {
    stop: stop.signal,
    kill: kill.signal,
    release: () => {
      for (const signal of signals) process.off(signal, heard);
    },
  };
}
