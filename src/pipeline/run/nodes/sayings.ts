/** What a machine that follows says of node 0: each thing once, but for how long it has waited. */
import type { NodePlace } from '../../../compute/accelerate/engine.js';
import type { RunEvent, RunStatus } from '../../../language/ir/events.js';

interface Waiting extends NodePlace {
  /** The store that both have to share; absolute. */
  readonly store: string;
  /** Seconds that it waits at most. */
  readonly limit: number;
}

/** Seconds after which it says again that it waits; each time, as much more has to pass as has passed. */
const REMINDER = 10;

export function sayings(
  { node, count: nodes, rendezvous, store, limit }: Waiting,
  emit: (event: RunEvent) => void,
) {
  const place = { node, nodes, rendezvous };
  let found: string | undefined;
  let next = 0;
  return {
    /** Told again and again while no run of node 0 is there. */
    waiting(seconds: number): void {
      if (seconds < next) return;
      next = Math.max(REMINDER, 2 * seconds);
      emit({ type: 'node.waiting', ...place, store, seconds: Math.floor(seconds), limit });
    },
    found(runId: string): void {
      if (runId !== found) emit({ type: 'node.found', ...place, runId });
      found = runId;
    },
    ended: (runId: string, status: RunStatus): void => emit({ type: 'node.ended', ...place, runId, status }),
  };
}
