/**
 * Array buffers that were replaced by larger ones stay resident until V8 collects them, which it may put off by
 * about 64 MB. Where the process exposes `gc` (`node --expose-gc`), they are collected when enough has gathered.
 */
const ENOUGH = 8 * 2 ** 20;
const ENOUGH_YOUNG = 2 * 2 ** 20;

type Collect = (options?: { readonly type: 'minor' }) => void;

let gathered = 0;
let gatheredYoung = 0;

/** Tells that `bytes` of array buffers are no longer referenced. */
export function discarded(bytes: number): void {
  gathered += bytes;
  if (gathered < ENOUGH) return;
  gathered = 0;
  (globalThis as { gc?: Collect }).gc?.();
}

/** The same of buffers that were made a moment ago: a collection of the young generation finds them, and takes a millisecond. */
export function discardedYoung(bytes: number): void {
  gatheredYoung += bytes;
  if (gatheredYoung < ENOUGH_YOUNG) return;
  gatheredYoung = 0;
  (globalThis as { gc?: Collect }).gc?.({ type: 'minor' });
}
