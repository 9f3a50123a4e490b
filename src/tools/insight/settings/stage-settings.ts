/** The settings of a stage by their paths: `lora.rank`, `optimizer.schedule.warmup`. */
import type { Stage, Value } from '../../../language/ir/program.js';
import { isCall, isRecord } from '../../../language/ir/values.js';
import type { Setting } from '../../../language/schemas/schema.js';
import { functionNamed, recordFields } from '../../../language/schemas/setting-paths.js';
import { schemas } from '../../../language/schemas/stages/index.js';
import { countingSettings } from '../../../language/schemas/stages/train.js';
import { lookUp } from '../../../language/source/look-up.js';
import { PLANNED_SETTINGS } from '../../../pipeline/planner/effective.js';

export interface StageSetting {
  readonly path: string;
  readonly setting: Setting;
  /** `undefined` if nothing set it. */
  readonly value: Value | undefined;
  /** It is a record or a call with settings of its own. */
  readonly isWhole: boolean;
  /** What the planner decides, and no block can say. */
  readonly byPlanner?: true;
}

/** Every setting that a stage can have, in the order of its schema; records and calls are before what is in them. */
export function settingsByPath(stage: Stage): readonly StageSetting[] {
  const own = inFields(schemas[stage.kind].settings, countingSettings(stage), '');
  if (stage.kind !== 'train') return own;
  const planned = Object.entries(PLANNED_SETTINGS).map(
    ([path, setting]): StageSetting => ({
      path,
      setting,
      value: path === 'using' ? stage.preset : undefined,
      isWhole: false,
      byPlanner: true,
    }),
  );
  return [...own, ...planned];
}

function inFields(
  fields: Readonly<Record<string, Setting>>,
  values: Readonly<Record<string, Value>>,
  prefix: string,
): readonly StageSetting[] {
  return Object.entries(fields).flatMap(([name, setting]) => {
    const path = `${prefix}${name}`;
    const value = lookUp(values, name);
    const inner = insideOf(setting, value);
    return [
      { path, setting, value, isWhole: inner !== undefined },
      ...(inner === undefined ? [] : inFields(inner.fields, inner.values, `${path}.`)),
    ];
  });
}

function insideOf(setting: Setting, value: Value | undefined) {
  if (isCall(value)) {
    const fields = functionNamed(value.call)?.args ?? {};
    return Object.keys(fields).length === 0 ? undefined : { fields, values: value.args };
  }
  const fields = recordFields(setting.type);
  if (value === undefined)
    return fields && setting.type.kind !== 'union' ? { fields, values: {} } : undefined;
  return fields && isRecord(value) ? { fields, values: value } : undefined;
}
