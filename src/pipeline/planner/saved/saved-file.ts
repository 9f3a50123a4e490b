/** A saved plan: what `ftpc plan --out` writes and `ftpc run` executes. Contract: docs/schema/saved-plan.json. */
import * as v from 'valibot';
import { savedPlanUnreadable } from '../../../language/diagnostics/catalogue/lock.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import {
  anyObject,
  checkJson,
  finite,
  hex,
  isJson,
  JsonFault,
  type JsonOf,
  parseJson,
  positive,
  record,
  that,
  version,
} from '../../../language/host/json.js';
import { ENGINE_NAMES, SHARDING_CHOICES } from '../../../language/ir/engines.js';
import { isTrainPlan, newFieldName, newPartName, renamed } from '../../stages/train-plan/fields.js';
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

const RANKS = v.object({
  device: v.picklist(['cpu', 'cuda']),
  devices: positive,
  nodes: positive,
  sharding: v.picklist(SHARDING_CHOICES),
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

const SAVED_PLAN = v.object({
  type: v.literal('ftpc.plan'),
  version: version(1),
  ftpc: v.string(),
  runtime: v.string(),
  /** Left out by earlier versions. */
  engine: v.optional(v.picklist(ENGINE_NAMES)),
  /** Of the accelerate engine. */
  ranks: v.optional(RANKS),
  /** Relative to the working directory. */
  pipeline: v.string(),
  params: record(v.string()),
  machine: v.object({
    memoryBytes: finite,
    threads: positive,
    /** The GPU that it computes on, or the smallest of them. */
    device: v.optional(v.object({ name: v.string(), memoryBytes: finite })),
  }),
  secrets: v.array(SECRET),
  /** SHA-256 of the lock file; null if there was none. */
  lock: v.nullable(v.string()),
  repositories: v.array(REPOSITORY),
  program: PROGRAM,
  stages: v.array(STAGE),
});

export type SavedPlan = JsonOf<typeof SAVED_PLAN>;
export type SavedProgram = JsonOf<typeof PROGRAM>;
export type SavedSecret = JsonOf<typeof SECRET>;
export type SavedDevice = NonNullable<SavedPlan['machine']['device']>;

const MOST_BYTES = 64_000_000;

/** Whether a file is meant as a saved plan and not as a pipeline: by its ending, or by how it begins. */
export function isSavedPlan(host: Host, path: string): boolean {
  const stat = host.stat(path);
  if (path.endsWith('.ftp') || stat === undefined || stat.isFolder) return false;
  return (
    path.endsWith('.json') || /^\uFEFF?\s*\{/.test(new TextDecoder().decode(host.readBytes(path, 0, 256)))
  );
}

/** Throws a `UserError`. `name` is the path for people. */
export function readSavedPlan(host: Host, path: string, name: string): SavedPlan {
  const bad = (detail: string): UserError => new UserError(savedPlanUnreadable(name, detail));
  const size = host.stat(path)?.size ?? 0;
  if (size > MOST_BYTES) throw bad(`it has ${size} bytes; at most ${MOST_BYTES} are read`);
  const value = parseJson(ANY_SAVED_PLAN, host.readText(path));
  const plan = value instanceof JsonFault ? value : checkJson(SAVED_PLAN, withNewNames(value));
  if (!(plan instanceof JsonFault)) return plan;
  const isPlan =
    plan.value === undefined || v.is(v.object({ type: ANY_SAVED_PLAN.entries.type }), plan.value);
  throw bad(isPlan ? plan.detail : 'it is not what `ftpc plan --out` writes');
}

/** Of every version: what a plan with old names has, too. */
const ANY_SAVED_PLAN = v.looseObject({
  type: v.literal('ftpc.plan'),
  version: version(1),
  stages: v.array(v.looseObject({ parts: record(v.string()), chosen: v.nullable(anyObject) })),
});

/** The same plan, with the present names in its stages. */
const withNewNames = (plan: v.InferInput<typeof ANY_SAVED_PLAN>): object => ({
  ...plan,
  stages: plan.stages.map((stage) => ({
    ...stage,
    parts: renamed(stage.parts, newPartName),
    chosen: stage.chosen && renamed(stage.chosen, newFieldName),
  })),
});
