/** Values as they would stand in a pipeline. */
import { formatQuantity } from '../../check/units.js';
import type { Call, Unit, Value } from '../../ir/types.js';
import { functions } from '../../stages/functions/index.js';
import type { Setting, SettingType } from '../../stages/schema.js';

/** `type` tells what a bare number measures, and which strings are words. */
export function written(value: Value, type?: SettingType): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return `${value}`;
  if (typeof value === 'number') {
    const unit = unitOf(type);
    return unit === undefined ? numberText(value) : formatQuantity(value, unit);
  }
  if (typeof value === 'string') return isWord(value, type) ? value : JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => written(item, itemType(type))).join(', ')}]`;
  if (isCall(value)) return call(value);
  if (isQuantity(value)) return formatQuantity(value.value, value.unit);
  if (isReference(value)) return value.port === '' ? value.stage : `${value.stage}.${value.port}`;
  if ('sha256' in value) return `file(${JSON.stringify(value['file'])})`;
  if ('secret' in value) return String(value['secret']);
  return record(value as Readonly<Record<string, Value>>, recordFields(type));
}

function record(
  value: Readonly<Record<string, Value>>,
  fields: Readonly<Record<string, Setting>> | undefined,
): string {
  const entries = Object.entries(value).map(
    ([name, field]) => `${name}: ${written(field, fields?.[name]?.type)}`,
  );
  return entries.length === 0 ? '{ }' : `{ ${entries.join(', ')} }`;
}

/** What is as the function fills it in stays unwritten. */
function call({ call: name, args }: Call): string {
  const schema = Object.hasOwn(functions, name) ? functions[name] : undefined;
  const said = Object.entries(args).filter(
    ([arg, value]) => JSON.stringify(value) !== JSON.stringify(schema?.args[arg]?.default),
  );
  const words = said.map(([arg, value]) => {
    const text = written(value, schema?.args[arg]?.type);
    return schema?.positional[0] === arg ? text : `${arg}: ${text}`;
  });
  return words.length === 0 && schema?.family !== 'model' ? name : `${name}(${words.join(', ')})`;
}

/** The shorter way to write a number: `2e-4`, `0.05`, `16`. */
export function numberText(value: number): string {
  const [plain, scientific] = [`${value}`, value.toExponential()];
  return Math.abs(value) < 0.01 && scientific.length <= plain.length ? scientific : plain;
}

/** What a bare number of this type measures. */
export function unitOf(type: SettingType | undefined): Unit | undefined {
  if (type?.kind === 'quantity') return type.units.length === 1 ? type.units[0] : undefined;
  if (type?.kind !== 'union') return undefined;
  return type.of.map(unitOf).find((unit) => unit !== undefined);
}

const isWord = (value: string, type: SettingType | undefined): boolean =>
  type?.kind === 'enum'
    ? type.values.includes(value)
    : type?.kind === 'union' && type.of.some((one) => isWord(value, one));

function itemType(type: SettingType | undefined): SettingType | undefined {
  if (type?.kind === 'list') return type.of;
  return type?.kind === 'union' ? type.of.map(itemType).find((item) => item !== undefined) : undefined;
}

/** The fields of a record type, also where a union offers one among others. */
export function recordFields(type: SettingType | undefined): Readonly<Record<string, Setting>> | undefined {
  if (type?.kind === 'record') return type.fields;
  return type?.kind === 'union'
    ? type.of.map(recordFields).find((fields) => fields !== undefined)
    : undefined;
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
const isQuantity = (value: object): value is { readonly unit: Unit; readonly value: number } =>
  'unit' in value && 'value' in value;
const isReference = (value: object): value is { readonly stage: string; readonly port: string } =>
  'stage' in value && 'port' in value;
export const isCall = (value: unknown): value is Call =>
  value !== null && typeof value === 'object' && 'call' in value && 'args' in value;
