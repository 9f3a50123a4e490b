/** Who gets the canary: a share of the users, the same ones for as long as it is the canary. */
import { createHash } from 'node:crypto';

/** 48 bits, which a number holds exactly. */
const BITS = 48;

/**
 * Where a user is between 0 and 1, evenly; users below the share of the canary get it. A larger share adds users, and a
 * smaller one takes some away; everyone else stays. Each canary has other users first.
 */
export function placeOf(user: string, canary: number): number {
  const digest = createHash('sha256').update(`${canary}\n${user}`).digest();
  return digest.readUIntBE(0, BITS / 8) / 2 ** BITS;
}
