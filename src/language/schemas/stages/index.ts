import type { StageKind } from '../../ir/program.js';
import type { StageSchema } from '../schema.js';
import { dataSchema } from './data.js';
import { deploySchema } from './deploy.js';
import { evalSchema } from './eval.js';
import { formatSchema } from './format.js';
import { mergeSchema } from './merge.js';
import { trainSchema } from './train.js';

/** Every stage kind and what may be in it. Light: loads nothing that runs. */
export const schemas: Readonly<Record<StageKind, StageSchema>> = {
  data: dataSchema,
  format: formatSchema,
  train: trainSchema,
  eval: evalSchema,
  merge: mergeSchema,
  deploy: deploySchema,
};
