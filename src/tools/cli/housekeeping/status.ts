/** What runs have to say about themselves besides their locks and claims. */
import { type Host, HostError } from '../../../language/host/host.js';
import { type ActiveRun, layoutIn, readJournal, runIds } from '../../../pipeline/store/index.js';
import { readRun } from '../../insight/runs/index.js';
import { holderText } from '../progress/sentences.js';
import type { RunNow } from './active-text.js';

/** From the journal of a run, where its directory can be read from here. */
export function nowOf({ cwd, runId }: ActiveRun): RunNow {
  const events = quietly(() => readJournal(layoutIn(cwd), runId)) ?? [];
  const started = events.find((event) => event.type === 'run.started');
  const last = events.at(-1);
  return {
    pipeline: started?.type === 'run.started' ? started.pipeline : undefined,
    doing: last?.type === 'stage.waiting' ? `${last.stage} waits for ${holderText(last.holder)}` : undefined,
  };
}

/** How the newest run of this folder ended that is not `active`; `null` if there is none. */
export function lastRun(
  host: Host,
  active: readonly ActiveRun[],
): { readonly runId: string; readonly status: string } | null {
  const isOver = (id: string): boolean =>
    !active.some(({ runId, isHere, state }) => isHere && runId === id && state !== 'gone');
  const runId = runIds(host).find(isOver);
  if (runId === undefined) return null;
  const run = quietly(() => readRun(host, runId, { curves: false }));
  return { runId, status: run?.status ?? 'unreadable' };
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof HostError || (error instanceof Error && 'code' in error)) return undefined;
    throw error;
  }
}
