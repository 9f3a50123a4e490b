/** A saved plan from its file, which may be anything. */
import * as v from 'valibot';
import { savedPlanUnreadable } from '../../../language/diagnostics/catalogue/lock.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { anyObject, checkJson, JsonFault, parseJson, record, version } from '../../../language/host/json.js';
import { newFieldName, newPartName, renamed } from '../../stages/train-plan/old-names.js';
import { SAVED_PLAN, type SavedPlan } from './types.js';

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
