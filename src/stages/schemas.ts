import type { StageKind } from '../ir/types.js';
import { dataSchema } from './data/schema.js';
import { deploySchema } from './deploy/schema.js';
import { evalSchema } from './eval/schema.js';
import { formatSchema } from './format/schema.js';
import { mergeSchema } from './merge/schema.js';
import type { StageSchema } from './schema.js';
import { trainSchema } from './train/schema.js';

/** Every stage kind and what may be in it. Light: loads nothing that runs. */
export const schemas: Readonly<Record<StageKind, StageSchema>> = {
  data: dataSchema,
  format: formatSchema,
  train: trainSchema,
  eval: evalSchema,
  merge: mergeSchema,
  deploy: deploySchema,
};
