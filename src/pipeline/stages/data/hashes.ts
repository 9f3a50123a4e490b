import { createHash } from 'node:crypto';

const TWO_48 = 2 ** 48;

/** The first 96 bits of SHA-256 as two 48-bit integers, which doubles hold exactly. */
export function hash96(text: string): readonly [number, number] {
  const digest = createHash('sha256').update(text).digest();
  return [digest.readUIntBE(0, 6), digest.readUIntBE(6, 6)];
}

/** A number in [0, 1) that depends on seed and key alone: orders rows and groups without a generator's state. */
export function unitHash(seed: number, key: string): number {
  return hash96(`${seed}\n${key}`)[0] / TWO_48;
}
