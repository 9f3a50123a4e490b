/** Which runs are at work: in this directory by its lock, in others by their claims in the store. */
import type { FoundClaim } from './claims.js';
import { foundClaims } from './claims.js';
import { type Layout, layoutIn } from './layout.js';
import { type FoundLock, foundLock } from './lock.js';

export interface ActiveRun {
  readonly runId: string;
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  readonly cwd: string;
  /** ISO 8601, by the clock of its machine. */
  readonly since: string;
  /** `unknown`: of another machine or container. */
  readonly state: FoundClaim['state'];
  /** Of this directory. */
  readonly isHere: boolean;
  /** The folder of its store. */
  readonly store: string;
  /** What it makes right now. */
  readonly claims: readonly FoundClaim[];
}

/** First that of this directory, then the others of the store, oldest first; also those whose process is gone. */
export function activeRuns(layout: Layout): readonly ActiveRun[] {
  const lock = foundLock(layout);
  const store = lock?.store ?? layout.root;
  const claims = [
    ...foundClaims(layout),
    ...(lock === undefined || store === layout.shared ? [] : foundClaims(layoutIn(layout.cwd, store))),
  ];
  const here = lock?.runId === undefined ? [] : [ofLock(lock, lock.runId, layout, claims)];
  const others = claims.filter(({ holder }) => holder.runId !== '' && holder.runId !== lock?.runId);
  const ids = [...new Set(others.map(({ holder }) => holder.runId))];
  return [
    ...here,
    ...ids.map((id) =>
      ofClaims(
        others.filter(({ holder }) => holder.runId === id),
        layout,
      ),
    ),
  ].flat();
}

function ofLock(lock: FoundLock, runId: string, layout: Layout, claims: readonly FoundClaim[]): ActiveRun {
  const { user = '', host = '', pid, since = '', state, store = layout.root } = lock;
  const own = claims.filter(({ holder }) => holder.runId === runId && holder.pid === pid);
  return { runId, user, host, pid, cwd: layout.cwd, since, state, isHere: true, store, claims: own };
}

function ofClaims(claims: readonly FoundClaim[], { shared, cwd: here }: Layout): readonly ActiveRun[] {
  const [first] = claims;
  if (first === undefined) return [];
  const { runId, user, host = '', pid, cwd, since } = first.holder;
  const isHere = cwd === here;
  return [{ runId, user, host, pid, cwd, since, state: first.state, isHere, store: shared, claims }];
}
