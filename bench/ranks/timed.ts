import * as v from 'valibot';
import { finite } from '../../src/language/host/json.js';

/** A training of one of the two. */
export const TIMED = v.object({
  /** Seconds from the start of its process to the first step, and to the end of each step. */
  ends: v.array(finite),
  losses: v.array(finite),
});
export type Timed = v.InferInput<typeof TIMED>;

/** Steps that warm caches up. */
const UNCOUNTED = 2;

/** From the end of one step to the end of the next, all that is between them included. */
export function tokensPerSecond({ ends }: Timed, tokens: readonly number[]): number {
  const seconds = (ends.at(-1) ?? 0) - (ends[UNCOUNTED] ?? 0);
  return tokens.slice(UNCOUNTED).reduce((sum, count) => sum + count, 0) / seconds;
}

export const startUp = ({ ends: [first = Number.NaN] }: Timed): number => first;

/** Largest relative difference of a loss. */
export const lossesApart = (one: Timed, other: Timed): number =>
  one.losses.reduce(
    (worst, loss, step) => Math.max(worst, Math.abs((other.losses[step] ?? Number.NaN) / loss - 1)),
    0,
  );
