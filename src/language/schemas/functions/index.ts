import { lookUp } from '../../source/look-up.js';
import type { FunctionSchema } from '../schema.js';
import { answers } from './answer.js';
import { endpoints } from './endpoint.js';
import { fallbacks } from './fallback.js';
import { metrics } from './metric.js';
import { adapters, models } from './model.js';
import { objectives } from './objective.js';
import { optimizers, schedules } from './optimizer.js';
import { ranges, searches } from './search.js';
import { dedupes, sources } from './source.js';
import { targets } from './target.js';
import { templates } from './template.js';
import { trackers } from './tracker.js';

/** Every function of the standard library by name; `std/*.ftp` declares which module exports it. */
export const functions: Readonly<Record<string, FunctionSchema>> = {
  ...models,
  ...adapters,
  ...sources,
  ...dedupes,
  ...templates,
  ...optimizers,
  ...schedules,
  ...objectives,
  ...fallbacks,
  ...answers,
  ...metrics,
  ...targets,
  ...searches,
  ...ranges,
  ...endpoints,
  ...trackers,
};

/** The name in the table of a function that pipelines write so; `undefined` if the family has none. */
export function functionKey(written: string, family: string): string | undefined {
  if (lookUp(functions, written)?.family === family) return written;
  return Object.keys(functions).find(
    (key) => functions[key]?.spelling === written && functions[key]?.family === family,
  );
}

/** How pipelines write a function. */
export const spelling = (key: string): string => lookUp(functions, key)?.spelling ?? key;
