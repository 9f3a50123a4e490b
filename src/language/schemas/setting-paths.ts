/** Settings by their paths (`lora.rank`, `optimizer.schedule.warmup`): what schemas, values and tables say about them. */
import type { Value, Values } from '../ir/program.js';
import { isCall, isRecord } from '../ir/values.js';
import { lookUp } from '../source/look-up.js';
import { functions } from './functions/index.js';
import type { FunctionSchema, Setting, SettingType, StageSchema } from './schema.js';
import { schemas } from './stages/index.js';

export const functionNamed = (name: string): FunctionSchema | undefined => lookUp(functions, name);

/** The types of a union, or the type itself; none if nothing is known. */
export const alternatives = (type: SettingType | undefined): readonly SettingType[] =>
  type === undefined ? [] : type.kind === 'union' ? type.of.flatMap(alternatives) : [type];

/** The alternative of a type that has this form. */
export function alternative<K extends SettingType['kind']>(
  type: SettingType | undefined,
  kind: K,
): Extract<SettingType, { kind: K }> | undefined {
  return alternatives(type).find((one): one is Extract<SettingType, { kind: K }> => one.kind === kind);
}

/** The fields of a record type, also where a union offers one among others. */
export const recordFields = (type: SettingType | undefined): Readonly<Record<string, Setting>> | undefined =>
  alternative(type, 'record')?.fields;

/** The type of a setting in a stage of this kind, through records; `undefined` for what is in a call. */
export function settingTypeAt(kind: string, path: string): SettingType | undefined {
  const [first, ...rest] = path.split('.');
  const schema: StageSchema | undefined = lookUp(schemas, kind);
  const own = lookUp(schema?.settings, first)?.type;
  return rest.reduce<SettingType | undefined>((type, name) => lookUp(recordFields(type), name)?.type, own);
}

/** What a table says about a path, or of the nearest value that it lies in. */
export function atOrAbove<T>(table: Readonly<Record<string, T>> | undefined, path: string): T | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.'))))
    if (table !== undefined && Object.hasOwn(table, at)) return table[at];
  return undefined;
}

/** The value at a path, through records and the arguments of calls. */
export function valueAt(settings: Values, path: string): Value | undefined {
  let value: Value | undefined = settings;
  for (const key of path.split('.')) {
    const fields: unknown = isCall(value) ? value.args : value;
    value = isRecord(fields) ? lookUp(fields, key) : undefined;
  }
  return value;
}
