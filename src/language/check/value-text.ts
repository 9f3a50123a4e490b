/** Values as they would be in a pipeline. */

import type { Call, Unit, Value, Values } from '../ir/program.js';
import { isCall, isFile, isList, isQuantity, isReference, isSecret } from '../ir/values.js';
import type { Setting, SettingType } from '../schemas/schema.js';
import { alternative, alternatives, functionNamed, recordFields } from '../schemas/setting-paths.js';
import { quoted } from '../source/quoted.js';
import { formatQuantity } from './units.js';

/** `type` tells what a bare number measures, and which strings are words. */
export function valueText(value: Value, type?: SettingType): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return `${value}`;
  if (typeof value === 'number') return formatQuantity(value, unitOf(type));
  if (typeof value === 'string') return isWord(value, type) ? value : quoted(value);
  if (isList(value))
    return `[${value.map((item) => valueText(item, alternative(type, 'list')?.of)).join(', ')}]`;
  if (isCall(value)) return callText(value);
  if (isReference(value)) return value.port === '' ? value.stage : `${value.stage}.${value.port}`;
  if (isQuantity(value)) return formatQuantity(value.value, value.unit);
  if (isFile(value)) return `file(${quoted(value.file)})`;
  if (isSecret(value)) return value.secret;
  return recordText(value as Values, recordFields(type));
}

function recordText(value: Values, fields: Readonly<Record<string, Setting>> | undefined): string {
  const entries = Object.entries(value).map(
    ([name, field]) => `${name}: ${valueText(field, fields?.[name]?.type)}`,
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
    const text = valueText(value, schema?.args[arg]?.type);
    return schema?.positional[0] === arg ? text : `${arg}: ${text}`;
  });
  const name = schema?.spelling ?? call;
  return words.length === 0 && schema?.family !== 'model' ? name : `${name}(${words.join(', ')})`;
}

/** What a bare number of this type measures. */
const unitOf = (type: SettingType | undefined): Unit | undefined =>
  alternatives(type).flatMap((one) =>
    one.kind === 'quantity' && one.units.length === 1 ? one.units : [],
  )[0];

const isWord = (value: string, type: SettingType | undefined): boolean =>
  alternatives(type).some((one) => one.kind === 'enum' && one.values.includes(value));
