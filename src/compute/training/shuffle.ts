import { philox } from '../models/philox.js';

/** Tells the draws of row orders from those of initialisation and dropout under the same seed. */
const ORDER = 0x7261696e;

/**
 * A number in [0, 1) with 53 random bits, a pure function of its counters: a resumed run draws what an undisturbed
 * one would.
 */
export function uniform(seed: number, stream: number, counter: number): number {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  const [high, low] = philox([counter >>> 0, Math.floor(counter / 2 ** 32), stream >>> 0, ORDER], key);
  return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
}

/** Fisher–Yates in place. */
export function shuffle(values: Uint32Array, seed: number, stream: number): void {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(uniform(seed, stream, last) * (last + 1));
    const held = values[last] ?? 0;
    values[last] = values[other] ?? 0;
    values[other] = held;
  }
}
