/** Every setting as it counts, and who set it. */
import type { Stage, Value } from '../../language/ir/program.js';
import { isPlainRecord, isRecord } from '../../language/ir/values.js';
import type { Setting } from '../../language/schemas/schema.js';
import { atOrAbove, recordFields } from '../../language/schemas/setting-paths.js';
import { schemas } from '../../language/schemas/stages/index.js';
import { countingSettings } from '../../language/schemas/stages/train.js';
import { FIELDS } from '../stages/train-plan/fields.js';
import type { TrainPlan } from '../stages/train-plan/plan.js';
import type { EffectiveSetting } from './plan-json.js';

export function effectiveSettings(
  stage: Stage,
  plan: TrainPlan | undefined,
  /** Of a stage that continues from an adapter: what is taken from it. */
  taken: Readonly<Record<string, Value | undefined>> = {},
): Readonly<Record<string, EffectiveSetting>> {
  const effective: Record<string, EffectiveSetting> = {};
  const add = (path: string, value: Value, inherited: EffectiveSetting['from']): void => {
    const from = stage.origins[path] ?? inherited;
    if (isPlainRecord(value))
      for (const [name, field] of Object.entries(value)) add(`${path}.${name}`, field, from);
    else effective[path] = { value: withoutText(value), from, ...presetOf(path) };
  };
  const presetOf = (path: string): Pick<EffectiveSetting, 'preset' | 'module'> =>
    atOrAbove(stage.origins, path) === 'preset' ? { ...atOrAbove(stage.presets, path) } : {};
  for (const [name, value] of Object.entries(countingSettings(stage))) add(name, value, 'default');
  const from = stage.origins['start'] ?? 'author';
  for (const [name, value] of Object.entries(taken))
    if (value !== undefined) effective[name] = { value, from };
  if (plan === undefined) return effective;
  return { ...effective, ...plannedSettings(stage, plan, effective) };
}

/** What the planner decided: also where it only confirmed what the file says. */
function plannedSettings(
  { preset }: Stage,
  plan: TrainPlan,
  written: Readonly<Record<string, EffectiveSetting>>,
): Readonly<Record<string, EffectiveSetting>> {
  const said: typeof written =
    preset === undefined ? written : { ...written, using: { value: preset, from: 'author' } };
  return Object.fromEntries(
    FIELDS.flatMap(({ name, setting, applies, isListed }): readonly [string, EffectiveSetting][] => {
      const value = plan[name];
      if (value === undefined || applies?.(plan.method) === false || isListed?.(plan) === false) return [];
      const own = said[setting];
      return [[setting, own?.value === value ? own : { value, from: 'planner' }]];
    }),
  );
}

/** A prompt's text is in its file; the plan names the file and its digest. */
function withoutText(value: Value): Value {
  if (Array.isArray(value)) return value.map((item: Value) => withoutText(item));
  if (!isRecord(value)) return value;
  const fields =
    'sha256' in value ? Object.entries(value).filter(([name]) => name !== 'text') : Object.entries(value);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutText(field)]));
}

function isInSchema(path: string): boolean {
  const names = path.split('.');
  const leaf = names.pop() ?? '';
  const fields = names.reduce<Readonly<Record<string, Setting>> | undefined>(
    (outer, name) => recordFields(outer?.[name]?.type),
    schemas.train.settings,
  );
  return fields !== undefined && Object.hasOwn(fields, leaf);
}

export const PLANNED_SETTINGS: Readonly<Record<string, Setting>> = Object.fromEntries(
  FIELDS.filter(({ setting }) => !isInSchema(setting)).map(({ setting, type, doc }) => [
    setting,
    { type, doc, required: false },
  ]),
);
