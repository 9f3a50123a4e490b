/** How long ranks may take, and what is said of one that gives no sign of life. */
import type { RankFailure } from './rank-failure.js';
import { isStopped, type RankProcess } from './rank-process.js';

/** In milliseconds. */
export interface Bounds {
  /** Between two signs of life before the first step: packages are imported, weights are read. */
  readonly start: number;
  /** Between two signs of life after it. A rank gives one at least every ten seconds while it computes. */
  readonly silence: number;
  /** From the request to end until it is killed. */
  readonly grace: number;
}

const DEFAULTS = { start: 900, silence: 120, grace: 50 } as const;

/** As the variables `FTPC_RANK_START`, `FTPC_RANK_SILENCE` and `FTPC_RANK_GRACE` say, in seconds. */
export function boundsOf(env: (name: string) => string | undefined): Bounds {
  const of = (name: keyof typeof DEFAULTS): number => {
    const seconds = Number(env(`FTPC_RANK_${name.toUpperCase()}`));
    return 1000 * (seconds > 0 ? seconds : DEFAULTS[name]);
  };
  return { start: of('start'), silence: of('silence'), grace: of('grace') };
}

/** What is looked at. */
type WatchedRank = Pick<
  RankProcess,
  'rank' | 'pid' | 'heard' | 'longestSilence' | 'hasEnded' | 'tail' | 'forgive'
>;

/** Silences of a rank that was heard again say how long it may be silent. */
const PATIENCE = 5;

/**
 * Gives, when it is asked, the rank that has been silent for too long. Where this process itself was stopped, nothing that
 * ranks said meanwhile was read, and they are not blamed.
 */
export function watchSilence(
  ranks: readonly WatchedRank[],
  bounds: Bounds,
  hasStepped: () => boolean,
): () => RankFailure | undefined {
  let asked = performance.now();
  return () => {
    const now = performance.now();
    const pause = now - asked;
    asked = now;
    if (pause > bounds.silence / 2) for (const rank of ranks) rank.forgive();
    const isStarting = !hasStepped();
    const silent = ranks.filter(({ hasEnded, heard, longestSilence }) => {
      const bound = isStarting ? bounds.start : Math.max(bounds.silence, PATIENCE * longestSilence);
      return !hasEnded && now - heard > bound;
    });
    if (silent.length === 0) return undefined;
    // those that wait for a stopped one are silent too, and may have been for longer
    const first = ranks.find(({ hasEnded, pid }) => !hasEnded && isStopped(pid)) ?? oldest(silent);
    return (
      first && {
        why: 'silent',
        rank: first.rank,
        seconds: (now - first.heard) / 1000,
        isStopped: isStopped(first.pid),
        isStarting,
        tail: first.tail(),
      }
    );
  };
}

const oldest = (ranks: readonly WatchedRank[]): WatchedRank | undefined =>
  ranks.reduce<WatchedRank | undefined>(
    (first, rank) => (first === undefined || rank.heard < first.heard ? rank : first),
    undefined,
  );
