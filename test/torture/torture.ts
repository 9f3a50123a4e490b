/** Runs the cases of a kind, several at a time. */
import type { Kind, Loss, TortureOptions } from './kind.js';

export interface Tally {
  readonly tried: number;
  /** By number. */
  readonly losses: readonly Loss[];
}

export async function torture(
  kind: Kind,
  options: TortureOptions & { readonly only?: number; readonly lanes: number },
): Promise<Tally> {
  const { cases, batch = 1, run, close } = await kind.open(options);
  const first = options.only ?? 0;
  const end = options.only === undefined ? cases : options.only + 1;
  const losses: Loss[] = [];
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < end) {
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
  return { tried: end - first, losses: losses.sort((a, b) => a.number - b.number) };
}
