/** Named values against a table of settings: a block, a record, the arguments of a call. */
import { duplicateKey, unknownSetting } from '../diagnostics/catalogue/names.js';
import { missingSetting, noneIsDefault } from '../diagnostics/catalogue/values.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Origin, Value, Values } from '../ir/program.js';
import { isCall, isQuantity, isRecord } from '../ir/values.js';
import type { Setting, SettingType } from '../schemas/schema.js';
import type { Expression, Word } from '../syntax/ast.js';
import type { Context } from './context.js';
import { isValue } from './scope.js';
import { settingHint, standsFor } from './setting-hints.js';
import { evaluate, takesNone } from './setting-value.js';
import { formatQuantity } from './units.js';

type Fields = Readonly<Record<string, Setting>>;

interface FieldOptions {
  /** Where the table is in the stage: `''` for the stage itself. */
  readonly path: string | undefined;
  /** Of a block's own settings: its kind. */
  readonly block?: string;
  /** `undefined`: what is missing has been reported in another way. */
  readonly missing: (key: string, doc: string) => Diagnostic | undefined;
  readonly unknown: (key: Word, known: readonly string[], value: Expression) => Diagnostic;
  /** What a preset sets: stands in for defaults. */
  readonly preset?: Values;
  /** A preset's own body: nothing is filled in. */
  readonly partial?: boolean;
}

function join(path: string | undefined, key: string): string | undefined {
  if (path === undefined || path === '') return path === '' ? key : undefined;
  const known = joined.get(path) ?? new Map<string, string>();
  const name = known.get(key) ?? `${path}.${key}`;
  if (known.size === 0) joined.set(path, known);
  known.set(key, name);
  return name;
}

/** There are few settings and many stages: a name that is known has its hash, one that is put together does not. */
const joined = new Map<string, Map<string, string>>();

/** Unknown settings of one table that are told of: more are a text of another kind, and each is compared with all that is known. */
const MOST_UNKNOWN = 500;

export function evaluateEntries(
  entries: readonly { readonly key: Word; readonly value: Expression }[],
  fields: Fields,
  context: Context,
  options: FieldOptions,
): Values | undefined {
  const given = new Map<string, { readonly key: Word; readonly value: Expression }>();
  const unknown: string[] = [];
  const before = context.errors;
  for (const entry of entries) {
    const { key } = entry;
    const first = given.get(key.text);
    if (!Object.hasOwn(fields, key.text)) {
      unknown.push(key.text);
      if (unknown.length <= MOST_UNKNOWN)
        context.report(options.unknown(key, Object.keys(fields), entry.value));
    } else if (first !== undefined) context.report(duplicateKey(key.span, key.text, first.key.span));
    else given.set(key.text, entry);
  }
  /** It has been reported as unknown under the name that stands for it. */
  const misspelt = (key: string): boolean => unknown.some((name) => standsFor(name, key, options.block));
  const values: Record<string, Value> = {};
  let failed = context.errors > before;
  for (const key in fields) {
    const setting = fields[key] as Setting;
    const path = join(options.path, key);
    const written = given.get(key);
    const found =
      written === undefined
        ? absent(key, setting, path, context, { ...options, misspelt })
        : author(written.value, setting, path, context, {
            preset: options.preset?.[key],
            partial: options.partial,
          });
    const isLeftOut = written !== undefined && found === null && !takesNone(setting.type);
    if (isLeftOut && options.partial !== true && options.preset?.[key] === undefined)
      warnOfDefault(key, written.value, setting, context);
    const value = isLeftOut ? leftOut(setting, path, context, options.partial) : found;
    if (value !== undefined) values[key] = value;
    // A preset sets it, or another name stands for it, and is wrong: then it is missing here all the same.
    else failed ||= (written !== undefined && !isLeftOut) || (setting.required && options.partial !== true);
  }
  return failed || context.errors > before ? undefined : values;
}

function author(
  expression: Expression,
  { type, required }: Setting,
  path: string | undefined,
  context: Context,
  { preset, partial }: { readonly preset: Value | undefined; readonly partial: boolean | undefined },
): Value | undefined {
  context.origin(path, usesParam(expression, context) ? 'param' : 'author');
  const isLayered = type.kind === 'record' && expression.kind === 'record';
  if (!isLayered || (preset === undefined && partial !== true))
    return evaluate(expression, type, context, path, { mayBeLeftOut: !required });
  const where = `\`${path?.split('.').at(-1) ?? ''}\``;
  return evaluateEntries(expression.entries, type.fields, context, {
    path,
    partial,
    preset: isRecord(preset) ? preset : undefined,
    missing: (key, doc) => missingSetting(expression.span, where, key, doc),
    unknown: (key, known, value) =>
      unknownSetting(key.span, key.text, where, settingHint(key, value, { known })),
  });
}

/** `key = none`: as if nobody had set it, presets included. */
function leftOut(
  { type, default: value }: Setting,
  path: string | undefined,
  context: Context,
  partial: boolean | undefined,
): Value | undefined {
  context.forget(path);
  return partial === true || value === undefined
    ? undefined
    : complete(value, type, path, context, 'default');
}

/** Who writes `order = none` may expect no order rather than the default one. */
function warnOfDefault(
  key: string,
  written: Expression,
  { type, default: value }: Setting,
  context: Context,
): void {
  if (written.kind !== 'none' || value === undefined || isNothing(value)) return;
  context.report(noneIsDefault(written.span, key, shown(value, type)));
}

const isNothing = (value: Value): boolean =>
  value === 0 || value === false || (Array.isArray(value) && value.length === 0);

/** A default as it would be written; `undefined` for records. */
function shown(value: Value, type: SettingType): string | undefined {
  if (isQuantity(value)) return formatQuantity(value.value, value.unit);
  if (typeof value === 'number')
    return formatQuantity(value, type.kind === 'quantity' ? type.units[0] : undefined);
  return typeof value === 'string' || typeof value === 'boolean' ? `${value}` : undefined;
}

function absent(
  key: string,
  setting: Setting,
  path: string | undefined,
  context: Context,
  options: FieldOptions & { readonly misspelt: (key: string) => boolean },
): Value | undefined {
  if (options.partial === true) return undefined;
  const preset = options.preset?.[key];
  if (preset !== undefined) {
    for (const [inner, doc] of lacking(preset, setting.type, key)) {
      const missing = options.missing(inner, doc);
      if (missing !== undefined) context.report(missing);
    }
    return complete(preset, setting.type, path, context, 'preset');
  }
  if (options.misspelt(key)) return undefined;
  if (setting.required) {
    const missing = options.missing(key, setting.doc);
    return missing && context.report(missing);
  }
  if (setting.default === undefined) return undefined;
  return complete(setting.default, setting.type, path, context, 'default');
}

/** What a preset leaves out of its records, and nobody else has set; by path. */
function lacking(value: Value, type: SettingType, path: string): readonly (readonly [string, string])[] {
  if (type.kind !== 'record' || !isRecord(value)) return [];
  return Object.entries(type.fields).flatMap(([key, setting]) => {
    const inner = value[key] ?? setting.default;
    const name = `${path}.${key}`;
    if (inner !== undefined) return lacking(inner, setting.type, name);
    return setting.required ? [[name, setting.doc] as const] : [];
  });
}

/** A preset's or the schema's value, with the defaults inside its records. */
function complete(
  value: Value,
  type: SettingType,
  path: string | undefined,
  context: Context,
  origin: Origin,
): Value {
  context.origin(path, origin);
  if (type.kind !== 'record' || !isRecord(value)) {
    if (isCall(value)) for (const key of Object.keys(value.args)) context.origin(join(path, key), origin);
    return value;
  }
  const values: Record<string, Value> = {};
  for (const [key, setting] of Object.entries(type.fields)) {
    const inner = value[key];
    const found = inner ?? setting.default;
    if (found !== undefined)
      values[key] = complete(
        found,
        setting.type,
        join(path, key),
        context,
        inner === undefined ? 'default' : origin,
      );
  }
  return values;
}

/** Does the value follow from a parameter? */
function usesParam(expression: Expression, context: Context): boolean {
  switch (expression.kind) {
    case 'reference': {
      const [word, more] = expression.path;
      return more === undefined && word !== undefined && isValue(context.scope.own.get(word.text));
    }
    case 'unary':
      return usesParam(expression.operand, context);
    case 'binary':
      return usesParam(expression.left, context) || usesParam(expression.right, context);
    case 'conditional':
      return [expression.condition, expression.whenTrue, expression.whenFalse].some((part) =>
        usesParam(part, context),
      );
    case 'list':
      return expression.items.some((item) => usesParam(item, context));
    default:
      return false;
  }
}
