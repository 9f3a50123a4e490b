/**
 * Dropout masks and noise from counters: the same seed, step, micro batch, layer and module give the same numbers,
 * whether they are made once or again for a recomputed block. No state, so a resumed run draws what the first one drew.
 */
import type { DropoutKey } from './types.js';

/** A bijective mixer of 32 bits (triple32 by Chris Wellons, bias 0.02 of the ideal). */
function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 17), 0xed5ad4bb);
  x = Math.imul(x ^ (x >>> 11), 0xac4c1b51);
  x = Math.imul(x ^ (x >>> 15), 0x31848bab);
  return x ^ (x >>> 14);
}

export const streamOf = (key: DropoutKey, layer: number, module: number): number =>
  [key.seed, Math.floor(key.seed / 2 ** 32), key.step, key.micro, layer, module].reduce(
    (state, counter) => mix(Math.imul(state, 0x9e3779b1) + counter + 1),
    0x6a09e667,
  );

/** Writes 1 where an element is kept and 0 if it is dropped, with a probability of `rate` for 0. */
export function dropoutMask(out: Uint8Array, rate: number, stream: number): void {
  // each hash decides over two elements, 16 bits each
  const threshold = Math.round(rate * 65536);
  const pairs = out.length >> 1;
  for (let pair = 0; pair < pairs; pair++) {
    const bits = mix(mix(pair) ^ stream);
    out[2 * pair] = (bits & 0xffff) >= threshold ? 1 : 0;
    out[2 * pair + 1] = bits >>> 16 >= threshold ? 1 : 0;
  }
  if (out.length & 1) out[out.length - 1] = (mix(mix(pairs) ^ stream) & 0xffff) >= threshold ? 1 : 0;
}

/** Counter of the embedding, which is before layer 0. */
export const EMBEDDED = -1;

/** Adds to each value one that is uniform in [−bound, bound). */
export function addUniformNoise(values: Float32Array, bound: number, stream: number): void {
  for (let index = 0; index < values.length; index++) {
    const share = (mix(mix(index) ^ stream) >>> 0) / 2 ** 32;
    values[index] = (values[index] as number) + bound * (2 * share - 1);
  }
}
