import type { Situation } from './types.js';

/** What the files of an example cannot make, by code. */
export const SITUATIONS: Readonly<Record<string, Situation>> = {};
