/** A saved plan: what `ftpc plan --out` writes and `ftpc run` executes. Contract: docs/schema/saved-plan.json. */
import * as v from 'valibot';
import {
  anyObject,
  type Checked,
  finite,
  hex,
  isJson,
  positive,
  record,
  that,
  version,
} from '../../../language/host/json.js';
import { isTrainPlan } from '../../stages/train-plan/fields.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';

const TRAIN_PLAN = that(
  (value): value is TrainPlan => isJson(value) && isTrainPlan(value),
  'what the planner decides for a train stage',
);

const STAGE = v.object({
  name: v.string(),
  kind: v.string(),
  key: v.string(),
  parts: record(v.string()),
  chosen: v.nullable(TRAIN_PLAN),
});

const REPOSITORY = v.object({
  kind: v.picklist(['model', 'dataset']),
  id: v.string(),
  revision: v.string(),
  commit: hex(40, 'a commit'),
});

const SECRET = v.object({
  name: v.string(),
  env: v.string(),
  /** Whether the variable was set; never what it held. */
  set: v.boolean(),
});

/** What every stage is set to, by stage and setting, and what is required. */
const PROGRAM = v.object({
  stages: record(
    v.object({
      kind: v.string(),
      using: v.nullable(v.string()),
      settings: anyObject,
      requires: v.array(v.string()),
    }),
  ),
  budgets: record(v.array(v.string())),
});

export const SAVED_PLAN = v.object({
  type: v.literal('ftpc.plan'),
  version: version(1),
  ftpc: v.string(),
  runtime: v.string(),
  /** Relative to the working directory. */
  pipeline: v.string(),
  params: record(v.string()),
  machine: v.object({ memoryBytes: finite, threads: positive }),
  secrets: v.array(SECRET),
  /** SHA-256 of the lock file; null if there was none. */
  lock: v.nullable(v.string()),
  repositories: v.array(REPOSITORY),
  program: PROGRAM,
  stages: v.array(STAGE),
});

export type SavedPlan = Checked<typeof SAVED_PLAN>;
export type SavedProgram = Checked<typeof PROGRAM>;
export type SavedSecret = Checked<typeof SECRET>;
