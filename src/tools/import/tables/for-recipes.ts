/** Entries of the tables for whole files, which fill in a recipe. */
import type { Recipe } from '../recipe.js';
import { byItself, hasNone, unable } from '../translation.js';

type Same = readonly (string | number | boolean)[];

/** Needs nothing here. */
export const here = (why: string) => byItself<Recipe>(why);
/** There is none here. */
export const none = (why: string, ...same: Same) => hasNone<Recipe>(why, ...same);
/** ftpc does not do it. */
export const never = (why: string, ...same: Same) => unable<Recipe>(why, ...same);
