import type { FunctionSchema } from '../schema.js';
import { fallbacks } from './fallback.js';
import { metrics } from './metric.js';
import { adapters, models } from './model.js';
import { optimizers, schedules } from './optimizer.js';
import { dedupes, sources } from './source.js';
import { targets } from './target.js';
import { templates } from './template.js';

/** Every function of the standard library by name; `std/*.ftp` declares which module exports it. */
export const functions: Readonly<Record<string, FunctionSchema>> = {
  ...models,
  ...adapters,
  ...sources,
  ...dedupes,
  ...templates,
  ...optimizers,
  ...schedules,
  ...fallbacks,
  ...metrics,
  ...targets,
};
