/** A model that answers for as long as the server runs: its process is started again when it ends. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ServingEngine } from '../../compute/serving/types.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { ModelSource } from './model-messages.js';
import { type ModelProcess, openModelProcess } from './model-process.js';
import { NoModelError } from './router.js';

export interface ServedModel extends ServingEngine {
  /** Its process is there. */
  readonly up: boolean;
}

export interface ModelReports {
  warning(diagnostic: Diagnostic): void;
  /** The process ended, and is started again in so many seconds. */
  crashed(why: Diagnostic, seconds: number): void;
  restarted(): void;
}

/** Seconds before a process is started again: doubled after each that did not live long. */
const PAUSE = { first: 0.5, most: 60 } as const;
/** Seconds after which a process has lived long. */
const LONG = 60;

/** Opens a model in a process of its own. Throws a `UserError` where it cannot be opened. */
export async function startModel(
  source: ModelSource,
  reports: ModelReports,
  signal?: AbortSignal,
  open = openModelProcess,
): Promise<ServedModel> {
  const first = await open(source, reports.warning, signal);
  const { info } = first;
  const ends = new AbortController();
  let current: ModelProcess | undefined = first;
  let wait: number = PAUSE.first;

  async function watch(process: ModelProcess): Promise<void> {
    const began = performance.now();
    const why = await process.ended;
    if (ends.signal.aborted) return;
    current = undefined;
    if (performance.now() - began > 1000 * LONG) wait = PAUSE.first;
    await startAgain(why.diagnostic);
  }

  async function startAgain(reason: Diagnostic): Promise<void> {
    for (let why = reason; !ends.signal.aborted; ) {
      reports.crashed(why, wait);
      try {
        await pause(1000 * wait, undefined, { signal: ends.signal, ref: false });
        wait = Math.min(2 * wait, PAUSE.most);
        current = await open(source, reports.warning, ends.signal);
        reports.restarted();
        void watch(current);
        return;
      } catch (error) {
        if (error instanceof UserError) why = error.diagnostic;
      }
    }
  }

  const now = (): ModelProcess => {
    if (current === undefined)
      throw new NoModelError('the model is started again after its process ended', wait);
    return current;
  };
  void watch(first);
  return {
    info,
    get up() {
      return current !== undefined;
    },
    complete: (request, signal) => now().complete(request, signal),
    tokensOf: async (prompt) => now().tokensOf(prompt),
    load: () => current?.load() ?? first.load(),
    close: async () => {
      ends.abort();
      await current?.close();
    },
  };
}
