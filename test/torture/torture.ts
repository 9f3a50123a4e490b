/** Runs the cases of a kind, several at a time. */
import type { Kind, Loss, TortureOptions } from './kind.js';

export interface Tally {
  readonly tried: number;
  /** By number. */
  readonly losses: readonly Loss[];
}

interface TortureLimits {
  /** Only these cases. */
  readonly only?: readonly number[];
  /** How many cases at a time. */
  readonly lanes: number;
  /** When to begin no further one, by `performance.now()`, once there are as many as in the short form. */
  readonly until?: number;
  /** Begins no further one. */
  readonly stop?: AbortSignal;
}

export async function torture(kind: Kind, options: TortureOptions & TortureLimits): Promise<Tally> {
  const { until = Number.POSITIVE_INFINITY, only, stop } = options;
  const { cases, batch = 1, run, close } = await kind.open(options);
  const ranges = rangesOf(cases, batch, only);
  const losses: Loss[] = [];
  let tried = 0;
  let next = 0;
  const lane = async (): Promise<void> => {
    while (stop?.aborted !== true && (performance.now() < until || tried < kind.short)) {
      const range = ranges[next++];
      if (range === undefined) break;
      const [from, to] = range;
      tried += to - from;
      losses.push(...(await run(from, to)));
    }
  };
  try {
    await Promise.all(Array.from({ length: options.lanes }, lane));
  } finally {
    await close?.();
  }
  return { tried, losses: losses.sort((a, b) => a.number - b.number) };
}

/** What is handed over at a time: from a number to the one before another. */
function rangesOf(
  cases: number,
  batch: number,
  only: readonly number[] | undefined,
): readonly (readonly [from: number, to: number])[] {
  if (only !== undefined) return only.map((number) => [number, number + 1] as const);
  return Array.from({ length: Math.ceil(cases / batch) }, (_, i) => {
    const from = i * batch;
    return [from, Math.min(cases, from + batch)] as const;
  });
}
