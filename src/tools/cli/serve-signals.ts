/** How a server is told to end: the first signal lets it finish, the second ends it at once. */
import type { Serving } from '../../pipeline/serve/serve.js';
import { type CliContext, lineStart } from './cli-context.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface ServeSignals {
  /** Aborted by a signal that comes while models are loaded. */
  readonly loading: AbortSignal;
  /** Resolves when the server has ended because it was told to. */
  end(serving: Serving): Promise<void>;
  release(): void;
}

export function serveSignals(context: CliContext, drainSeconds: number): ServeSignals {
  const loading = new AbortController();
  const told = new AbortController();
  let stop = (_again: boolean): void => loading.abort(new Error('interrupted'));
  const heard = (): void => {
    const again = told.signal.aborted;
    told.abort();
    stop(again);
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return {
    loading: loading.signal,
    end: async (serving) => {
      stop = (again) => {
        if (again) serving.stop();
      };
      if (!told.signal.aborted)
        await new Promise<void>((resolve) =>
          told.signal.addEventListener('abort', () => resolve(), { once: true }),
        );
      context.err(
        `${lineStart(context)}ending: answers that were begun have ${drainSeconds} s; interrupt again to end at once`,
      );
      await serving.drain(drainSeconds);
    },
    release: () => {
      for (const signal of SIGNALS) process.off(signal, heard);
    },
  };
}
