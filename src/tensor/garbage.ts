/**
 * Array buffers that were replaced by larger ones stay resident until V8 collects them, which it may put off by
 * some 64 MB. Where the process exposes `gc` (`node --expose-gc`), they are collected when enough has gathered.
 */
const ENOUGH = 8 * 2 ** 20;

let gathered = 0;

/** Tells that `bytes` of array buffers are no longer referenced. */
export function discarded(bytes: number): void {
  gathered += bytes;
  if (gathered < ENOUGH) return;
  gathered = 0;
  (globalThis as { gc?: () => void }).gc?.();
}
