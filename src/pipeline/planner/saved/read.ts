/** A saved plan from its file, which may be anything. */
import { savedPlanUnreadable } from '../../../language/diagnostics/catalogue/lock.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import { isCommit } from '../../../language/schemas/repositories.js';
import { isMethod } from '../../../language/schemas/types.js';
import { newFieldName, newPartName, renamed } from '../../stages/old-names.js';
import type { SavedPlan } from './types.js';

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
  let value: unknown;
  try {
    value = JSON.parse(host.readText(path).replace(/^\uFEFF/, ''));
  } catch (error) {
    throw bad(error instanceof Error ? error.message : String(error));
  }
  if (!isObject(value) || value['type'] !== 'ftpc.plan') throw bad('it is not what `ftpc plan --out` writes');
  if (value['version'] !== 1)
    throw bad(`its version is ${JSON.stringify(value['version'])}; this ftpc reads version 1`);
  const present = withNewNames(value);
  const broken = Object.entries(FIELDS).find(([field, holds]) => !holds(present[field]));
  if (broken !== undefined) throw bad(`\`${broken[0]}\` is not what \`ftpc plan --out\` writes`);
  return present as unknown as SavedPlan;
}

/** The same plan, with the present names in its stages. */
function withNewNames(plan: Json): Json {
  const { stages } = plan;
  if (!Array.isArray(stages)) return plan;
  return {
    ...plan,
    stages: stages.map((stage: unknown) => {
      if (!isObject(stage)) return stage;
      const { parts, chosen } = stage;
      return {
        ...stage,
        ...(isObject(parts) ? { parts: renamed(parts, newPartName) } : {}),
        ...(isObject(chosen) ? { chosen: renamed(chosen, newFieldName) } : {}),
      };
    }),
  };
}

type Json = Readonly<Record<string, unknown>>;
type Test = (value: unknown) => boolean;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Test = (value) => typeof value === 'string';
const isNumber: Test = (value) => typeof value === 'number' && Number.isFinite(value);
const every =
  (of: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(of);
const values =
  (of: Test): Test =>
  (value) =>
    isObject(value) && Object.values(value).every(of);
const fields =
  (tests: Readonly<Record<string, Test>>): Test =>
  (value) =>
    isObject(value) && Object.entries(tests).every(([name, holds]) => holds(value[name]));
const either =
  (a: Test, b: Test): Test =>
  (value) =>
    a(value) || b(value);
const isNull: Test = (value) => value === null;

const CHOSEN = fields({
  method: isMethod,
  microBatch: isNumber,
  accumulation: isNumber,
  maxLength: isNumber,
  rank: isNumber,
  alpha: isNumber,
  checkpointedBlocks: isNumber,
  logitsChunk: isNumber,
  vocabularyShard: (value) => value === undefined || isNumber(value),
  pagedWeights: (value) => value === undefined || value === true,
  materialised: (value) => value === undefined || value === true,
  recomputedMlps: (value) => value === undefined || isNumber(value),
  recomputedAttention: (value) => value === undefined || isNumber(value),
  offloadedState: (value) =>
    value === undefined || (isNumber(value) && Number(value) > 0 && Number(value) <= 1),
});

const FIELDS: Readonly<Record<string, Test>> = {
  ftpc: isText,
  runtime: isText,
  pipeline: isText,
  params: values(isText),
  machine: fields({
    memoryBytes: isNumber,
    threads: (value) => Number.isInteger(value) && Number(value) > 0,
  }),
  secrets: every(fields({ name: isText, env: isText, set: (value) => typeof value === 'boolean' })),
  lock: either(isNull, isText),
  repositories: every(
    fields({
      kind: (value) => value === 'model' || value === 'dataset',
      id: isText,
      revision: isText,
      commit: isCommit,
    }),
  ),
  program: fields({
    stages: values(fields({ kind: isText, settings: isObject, requires: every(isText) })),
    budgets: values(every(isText)),
  }),
  stages: every(
    fields({
      name: isText,
      kind: isText,
      key: isText,
      parts: values(isText),
      chosen: either(isNull, CHOSEN),
    }),
  ),
};
