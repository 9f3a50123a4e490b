/** Values as they would be in a pipeline. */
import { formatQuantity } from '../../language/check/units.js';
import type { Call, Quantity, SecretValue, Unit, Value } from '../../language/ir/types.js';
import { functions } from '../../language/schemas/functions/index.js';
import type { Setting, SettingType } from '../../language/schemas/schema.js';
import { isRecord } from './canonical.js';
import { isCall, isReference } from './models.js';

/** `type` tells what a bare number measures, and which strings are words. */
export function written(value: Value, type?: SettingType): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return `${value}`;
  if (typeof value === 'number') return formatQuantity(value, unitOf(type));
  if (typeof value === 'string') return isWord(value, type) ? value : JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => written(item, itemType(type))).join(', ')}]`;
  if (isCall(value)) return callText(value);
  if (isReference(value)) return value.port === '' ? value.stage : `${value.stage}.${value.port}`;
  if (isQuantity(value)) return formatQuantity(value.value, value.unit);
  if (isFile(value)) return `file(${JSON.stringify(value.file)})`;
  if (isSecret(value)) return value.secret;
  return recordText(value as Readonly<Record<string, Value>>, recordFields(type));
}

function recordText(
  value: Readonly<Record<string, Value>>,
  fields: Readonly<Record<string, Setting>> | undefined,
): string {
  const entries = Object.entries(value).map(
    ([name, field]) => `${name}: ${written(field, fields?.[name]?.type)}`,
  );
  return entries.length === 0 ? '{ }' : `{ ${entries.join(', ')} }`;
}

/** What is as the function fills it in stays unwritten. */
function callText({ call, args }: Call): string {
  const schema = functionNamed(call);
  const said = Object.entries(args).filter(
    ([arg, value]) => JSON.stringify(value) !== JSON.stringify(schema?.args[arg]?.default),
  );
  const words = said.map(([arg, value]) => {
    const text = written(value, schema?.args[arg]?.type);
    return schema?.positional[0] === arg ? text : `${arg}: ${text}`;
  });
  return words.length === 0 && schema?.family !== 'model' ? call : `${call}(${words.join(', ')})`;
}

export const functionNamed = (name: string): (typeof functions)[string] | undefined =>
  Object.hasOwn(functions, name) ? functions[name] : undefined;

/** What a bare number of this type measures. */
function unitOf(type: SettingType | undefined): Unit | undefined {
  if (type?.kind === 'quantity') return type.units.length === 1 ? type.units[0] : undefined;
  return ofUnion(type, unitOf);
}

const isWord = (value: string, type: SettingType | undefined): boolean =>
  type?.kind === 'enum'
    ? type.values.includes(value)
    : type?.kind === 'union' && type.of.some((one) => isWord(value, one));

const itemType = (type: SettingType | undefined): SettingType | undefined =>
  type?.kind === 'list' ? type.of : ofUnion(type, itemType);

/** The fields of a record type, also where a union offers one among others. */
export const recordFields = (type: SettingType | undefined): Readonly<Record<string, Setting>> | undefined =>
  type?.kind === 'record' ? type.fields : ofUnion(type, recordFields);

function ofUnion<T>(type: SettingType | undefined, look: (one: SettingType) => T | undefined): T | undefined {
  if (type?.kind !== 'union') return undefined;
  return type.of.map(look).find((found) => found !== undefined);
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
const isQuantity = (value: unknown): value is Quantity =>
  isRecord(value) && typeof value['unit'] === 'string' && typeof value['value'] === 'number';

const isSecret = (value: unknown): value is SecretValue =>
  isRecord(value) && typeof value['secret'] === 'string' && typeof value['env'] === 'string';

/** A file of a setting: its text is left out of plans. */
export const isFile = (value: unknown): value is { readonly file: string; readonly sha256: string } =>
  isRecord(value) && typeof value['file'] === 'string' && typeof value['sha256'] === 'string';
