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

/** Tells that `bytes` of array buffers are no longer referenced. */
export const discarded = collector(8 * 2 ** 20);

/** The same of buffers that were made a moment ago: a collection of the young generation finds them, and takes a millisecond. */
export const discardedYoung = collector(2 * 2 ** 20, { type: 'minor' });
