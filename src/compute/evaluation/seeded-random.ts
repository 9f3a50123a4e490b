/** A stream of uniform numbers in [0, 1) that a seed and a stream number fix. */
export type Random = () => number;

/**
 * sfc32 (Chris Doty-Humphrey, PractRand), started from the two numbers and run in. Streams of one seed are
 * independent, so a row's draws don't depend on which rows are next to it.
 */
export function seededRandom(seed: number, stream = 0): Random {
  let a = seed | 0;
  let b = Math.floor(seed / 2 ** 32) | 0;
  let c = stream | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  return () => next() / 2 ** 32;
}

/** `count` of the numbers 0 … `total` − 1 in a random order (a partial Fisher–Yates shuffle). */
export function choose(total: number, count: number, random: Random): readonly number[] {
  const pool = Array.from({ length: total }, (_, i) => i);
  const taken = Math.min(count, total);
  for (let i = 0; i < taken; i++) {
    const j = i + Math.floor(random() * (total - i));
    const swap = pool[i] as number;
    pool[i] = pool[j] as number;
    pool[j] = swap;
  }
  return pool.slice(0, taken);
}
