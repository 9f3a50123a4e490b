/** Runs the cases of a kind, several at a time. */
import type { Kind, Loss, TortureOptions } from './kind.js';

export interface Tally {
  readonly tried: number;
  /** By number. */
  readonly losses: readonly Loss[];
}

interface TortureLimits {
  /** Only this case. */
  readonly only?: number;
  /** How many cases at a time. */
  readonly lanes: number;
  /** When to begin no further one, by `performance.now()`, once there are as many as in the short form. */
  readonly until?: number;
}

export async function torture(kind: Kind, options: TortureOptions & TortureLimits): Promise<Tally> {
  const { until = Number.POSITIVE_INFINITY } = options;
  const { cases, batch = 1, run, close } = await kind.open(options);
  const first = options.only ?? 0;
  const end = options.only === undefined ? cases : options.only + 1;
  const losses: Loss[] = [];
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < end && (performance.now() < until || next < kind.short)) {
      const from = next;
      next = Math.min(end, from + batch);
      losses.push(...(await run(from, next)));
    }
  };
  try {
    await Promise.all(Array.from({ length: options.lanes }, lane));
  } finally {
    await close?.();
  }
  return { tried: next - first, losses: losses.sort((a, b) => a.number - b.number) };
}
