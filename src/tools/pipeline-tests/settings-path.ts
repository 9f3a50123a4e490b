/** `adapter.lora.rank`: a setting of a stage, by its schema and, where that leaves it open, by its value. */
import { notComparable, unknownTestName } from '../../language/diagnostics/catalogue/tests.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Reading } from '../../language/ir/evaluate.js';
import type { Stage, Value, Values, ValueType } from '../../language/ir/program.js';
import { isCall, isFile, isQuantity, isRecord, isReference, isSecret } from '../../language/ir/values.js';
import { functions } from '../../language/schemas/functions/index.js';
import type { Setting, SettingType } from '../../language/schemas/schema.js';
import { functionNamed, recordFields, valueAt } from '../../language/schemas/setting-paths.js';
import { schemas } from '../../language/schemas/stages/index.js';
import { lookUp } from '../../language/source/look-up.js';
import type { Word } from '../../language/syntax/ast.js';

interface ComparableSetting {
  readonly type: ValueType;
  readonly words?: readonly string[];
  /** From the stage's settings on. */
  readonly path: readonly string[];
}

type Settings = Readonly<Record<string, Setting>>;

/** `undefined` if there is no such setting, or none that can be compared; that has been reported. */
export function findSetting(
  stage: Stage,
  words: readonly Word[],
  report: (found: Diagnostic) => undefined,
): ComparableSetting | undefined {
  let fields: Settings = schemas[stage.kind].settings;
  let values: Values | undefined = stage.settings;
  let where = `the ${stage.kind} stage \`${stage.name}\``;
  const path: string[] = [];
  for (const [i, word] of words.entries()) {
    const setting = lookUp(fields, word.text);
    if (setting === undefined)
      return report(unknownTestName(word.span, word.text, where, Object.keys(fields)));
    const value: Value | undefined = values?.[word.text];
    path.push(word.text);
    if (i === words.length - 1) {
      const leaf = leafOf(setting.type, value);
      if (typeof leaf !== 'string') return { ...leaf, path };
      return report(notComparable(word.span, path.join('.'), leaf));
    }
    const inner = inside(setting.type, value);
    where = `\`${path.join('.')}\``;
    if (inner === undefined) {
      const next = words[i + 1] ?? word;
      return report(unknownTestName(next.span, next.text, where, []));
    }
    fields = inner.fields;
    values = inner.values;
  }
  return undefined;
}

/** What is in a record, or the arguments of the function that is called. */
function inside(
  type: SettingType,
  value: Value | undefined,
): { fields: Settings; values?: Values } | undefined {
  if (isCall(value)) return { fields: functionNamed(value.call)?.args ?? {}, values: value.args };
  const fields = recordFields(type);
  return fields && { fields, values: isRecord(value) ? value : undefined };
}

type Leaf = Omit<ComparableSetting, 'path'>;

/** A text says what it is instead of a value. */
const LEAVES: {
  readonly [K in SettingType['kind']]: (type: Extract<SettingType, { kind: K }>) => Leaf | string;
} = {
  boolean: () => ({ type: 'boolean' }),
  integer: () => ({ type: 'number' }),
  number: () => ({ type: 'number' }),
  quantity: ({ units }) => ({ type: units.length === 1 ? (units[0] ?? 'any') : 'any' }),
  string: () => ({ type: 'text' }),
  file: () => ({ type: 'text' }),
  port: () => ({ type: 'text' }),
  enum: ({ values }) => ({ type: 'text', words: values }),
  call: ({ family }) => ({
    type: 'text',
    words: Object.keys(functions).filter((name) => functions[name]?.family === family),
  }),
  none: () => ({ type: 'any' }),
  union: () => ({ type: 'any' }),
  list: () => 'a list',
  record: () => 'a record',
  map: () => 'a record',
  secret: () => 'a secret',
};

function leafOf(type: SettingType, value: Value | undefined): Leaf | string {
  if (Array.isArray(value)) return 'a list';
  if (isSecret(value)) return 'a secret';
  // The table has one entry per kind: the entry found for `type.kind` takes `type`.
  return (LEAVES[type.kind] as (type: SettingType) => Leaf | string)(type);
}

/** The value at a path; that of a call is its function. */
export const settingAt = (settings: Values, path: readonly string[]): Reading =>
  readingOf(valueAt(settings, path.join('.')));

export function readingOf(value: Value | undefined): Reading {
  if (value === undefined || value === null || typeof value !== 'object' || isQuantity(value)) return value;
  if (isCall(value)) return value.call;
  if (isReference(value)) return value.port === '' ? value.stage : `${value.stage}.${value.port}`;
  return isFile(value) ? value.file : undefined;
}
