import { getHeapStatistics } from 'node:v8';

/**
 * Array buffers that were replaced by larger ones stay resident until V8 collects them, which it may put off by
 * about 64 MB. Where the process exposes `gc` (`node --expose-gc`), they are collected when enough has gathered.
 */
type Collect = (options?: { readonly type: 'minor' }) => void;

function collector(enough: number, ...options: Parameters<Collect>): (bytes: number) => void {
  let gathered = 0;
  return (bytes) => {
    gathered += bytes;
    if (gathered < enough) return;
    gathered = 0;
    (globalThis as { gc?: Collect }).gc?.(...options);
  };
}

/** Bytes of array buffers that gather until they are collected. */
export const MOST_DISCARDED = 8 * 2 ** 20;

/**
 * Tells that `bytes` of array buffers are no longer referenced, which may collect them at once. A function that calls this and has read
 * them before keeps them until the next time: V8 takes what is in a register of a frame for alive, although it is not used any more.
 */
export const discarded = collector(MOST_DISCARDED);

/** Bytes of array buffers that were made a moment ago, and gather until they are collected. */
export const MOST_DISCARDED_YOUNG = 2 * 2 ** 20;

/** The same of buffers that were made a moment ago: a collection of the young generation finds them, and takes a millisecond. */
export const discardedYoung = collector(MOST_DISCARDED_YOUNG, { type: 'minor' });

/** Bytes of objects that may gather until they are collected. */
const HEAP_GROWTH = 4 * 2 ** 20;

/** Collects where the bytes in use have grown since they were least after the last collection. */
export function heapTidier(used: () => number, collects: () => void): () => void {
  let live = Number.POSITIVE_INFINITY;
  return () => {
    const now = used();
    if (now <= live + HEAP_GROWTH) {
      live = Math.min(live, now);
      return;
    }
    collects();
    live = used();
  };
}

/** Called where much is no longer referenced, before as much is made again. */
export const collect = (): void => (globalThis as { gc?: Collect }).gc?.();

/**
 * Called between batches and between tokens. What a pass holds while it waits for its graphs outlives collections of the young
 * generation, and V8 lets the heap grow to about three times its size before it looks for it: by 25 MiB in a training of 200 steps.
 */
export const tidyHeap = heapTidier(() => getHeapStatistics().used_heap_size, collect);
