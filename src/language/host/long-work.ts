/** Reading many bytes at once keeps this thread from all else: others are told by the byte that it is alive. */

/** Bytes between two signs: seconds, also on a disk that gives few of them. */
export const SIGN_BYTES = 64 * 2 ** 20;

const listeners = new Set<() => void>();
let since = 0;

/** So many bytes have been read. */
export function worked(bytes: number): void {
  since += bytes;
  if (since < SIGN_BYTES) return;
  since = 0;
  for (const listener of listeners) listener();
}

/** Calls `sign` after every {@link SIGN_BYTES}; the returned function ends that. */
export function whileWorking(sign: () => void): () => void {
  listeners.add(sign);
  return () => void listeners.delete(sign);
}
