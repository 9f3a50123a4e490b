/** Everything that is done to ftpc, in order. */
import { clock } from './clock.js';
import { disk } from './disk.js';
import { flips } from './flips.js';
import { kills } from './kills.js';
import type { Kind } from './kind.js';
import { mutations } from './mutations/index.js';
import { places } from './places.js';
import { roles } from './roles.js';
import { together } from './together.js';

export const KINDS = {
  kills,
  roles,
  disk,
  flips,
  mutations,
  together,
  clock,
  places,
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;
