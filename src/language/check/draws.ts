/** What a search draws: values of matrices, each from its seed, its trial and the name of the matrix alone. */
import type { SettingType } from '../schemas/schema.js';

export interface DrawnRange {
  readonly low: number;
  readonly high: number;
  readonly isLog: boolean;
  /** Only whole numbers. */
  readonly isWhole: boolean;
}

/** Digits of what is drawn: more would tell nothing, and names of stages would be hard to read. */
const DIGITS = 3;

/** The value at `share`, from 0 to 1, of a range. */
export function valueAt({ low, high, isLog, isWhole }: DrawnRange, share: number): number {
  // each whole number is as likely as the next, both ends too
  const top = isWhole ? high + 1 : high;
  const drawn = isLog ? low * (top / low) ** share : low + (top - low) * share;
  const rounded = isWhole ? Math.floor(drawn) : Number(drawn.toPrecision(DIGITS));
  return Math.min(high, Math.max(low, rounded));
}

const WHOLE_UNITS: ReadonlySet<string> = new Set(['tokens', 'steps', 'bytes']);

export const isWhole = (type: SettingType): boolean =>
  type.kind === 'integer' || (type.kind === 'quantity' && type.units.some((unit) => WHOLE_UNITS.has(unit)));

/** A number from 0 to 1 for a trial and a matrix: no other draw changes it, so that more trials keep the first ones. */
export function share(seed: number, trial: number, matrix: string): number {
  let hash = mixed(seed ^ 0x9e3779b9);
  for (const character of matrix) hash = mixed(hash ^ (character.codePointAt(0) ?? 0));
  return mixed(hash ^ mixed(trial + 1)) / 2 ** 32;
}

/** The finaliser of MurmurHash3: every bit of the result depends on every bit of `value`. */
function mixed(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
