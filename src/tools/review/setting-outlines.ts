/** The effective settings of a stage leaf by leaf, each as it would be in a file. */

import { valueText } from '../../language/check/value-text.js';
import type { Origin, Stage, StageKind, Value } from '../../language/ir/program.js';
import { isCall, isFile, isRecord, isReference } from '../../language/ir/values.js';
import type { Setting, SettingType } from '../../language/schemas/schema.js';
import { functionNamed, recordFields, settingTypeAt } from '../../language/schemas/setting-paths.js';
import { lookUp } from '../../language/source/look-up.js';
import { PLANNED_SETTINGS } from '../../pipeline/planner/effective.js';
import type { PlannedStage } from '../../pipeline/planner/types.js';
import type { SettingOutline } from './types.js';

type Settings = Readonly<Record<string, SettingOutline>>;

/** Sorted by path. `moduleName`: what a module is called, wherever the command runs. */
export function settingOutlines(
  stage: Stage,
  planned: PlannedStage,
  moduleName: (module: string) => string,
): Settings {
  const found: Record<string, SettingOutline> = {};
  const leaf = (path: string, text: string, from: Origin, refers?: SettingOutline['refers']): void => {
    const preset = from === 'preset' ? stage.presets?.[path] : undefined;
    found[path] = {
      text,
      from,
      ...(preset === undefined ? {} : { preset: { ...preset, module: moduleName(preset.module) } }),
      ...(refers === undefined ? {} : { refers }),
    };
  };
  const add = (path: string, value: Value, type: SettingType | undefined, from: Origin): void => {
    if (isReference(value)) leaf(path, valueText(value), from, value);
    else if (isFile(value)) leaf(path, `${valueText(value)} sha256:${value.sha256.slice(0, 12)}`, from);
    else if (isCall(value)) {
      leaf(path, value.call, from);
      addAll(path, value.args, functionNamed(value.call)?.args, from);
    } else if (isRecord(value) && !('unit' in value)) addAll(path, value, recordFields(type), from);
    else leaf(path, valueText(value, type), from);
  };
  const addAll = (
    path: string,
    fields: Readonly<Record<string, Value>>,
    types: Readonly<Record<string, Setting>> | undefined,
    from: Origin,
  ): void => {
    for (const [name, field] of Object.entries(fields)) {
      const inner = `${path}.${name}`;
      add(inner, field, types?.[name]?.type, stage.origins[inner] ?? from);
    }
  };
  for (const [path, { value, from }] of Object.entries(planned.effective))
    add(path, value, typeAt(stage.kind, path), from);
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const typeAt = (kind: StageKind, path: string): SettingType | undefined =>
  lookUp(PLANNED_SETTINGS, path)?.type ?? settingTypeAt(kind, path);
