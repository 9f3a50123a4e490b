/** An expression as the value of a setting of a given type: the heart of the checker. */
import * as names from '../diagnostics/catalogue/names.js';
import * as errors from '../diagnostics/catalogue/values.js';
import { replace } from '../diagnostics/make.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Value } from '../ir/program.js';
import { METHODS } from '../schemas/methods.js';
import type { SettingType } from '../schemas/schema.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';
import { namesInQuotes } from './call-in-quotes.js';
import { evaluateCall } from './calls.js';
import { checkForm, coerce } from './coerce.js';
import { constant, truth } from './constants.js';
import type { Context, Evaluate } from './context.js';
import { evaluateEntries } from './fields.js';
import { checkPath, evaluateFile } from './files.js';
import { expressionNoun, SYMBOL_NOUNS, typeNoun, wrongType } from './nouns.js';
import { evaluatePort } from './ports.js';
import { isValue } from './scope.js';
import { evaluateSecret, strayedSecret } from './secrets.js';
import { settingHint } from './setting-hints.js';
import { evaluateUnion } from './unions.js';
import { foreignNumber, unknownUnit } from './units.js';

/** Access tokens of the services that people train with, and private keys. */
const SECRET =
  /\bhf_[A-Za-z0-9]{30,}|\bgh[pousr]_[A-Za-z0-9]{36}|\bsk-[A-Za-z0-9_-]{32,}|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY/;

const simple = (expression: Expression, type: SettingType, context: Context): Value | undefined => {
  if (expression.kind === 'bad_quantity' && (type.kind === 'integer' || type.kind === 'number')) {
    const { span, digits, suffix } = expression;
    return context.report(
      errors.typeMismatch(span, typeNoun(type), `\`${digits}${suffix}\``, {
        help: `it has no unit: write \`${digits}\``,
        fixes: [replace(`write \`${digits}\``, span, digits, 'maybe_incorrect')],
      }),
    );
  }
  if (expression.kind === 'bad_quantity') {
    const units = type.kind === 'quantity' ? type.units : undefined;
    return context.report(unknownUnit(expression, units));
  }
  if (expression.kind === 'list' || expression.kind === 'record' || expression.kind === 'call')
    return wrongType(
      expression,
      type,
      context,
      expression.kind === 'list'
        ? 'give one value; to try several, use a `matrix`: `matrix name: Number = [ … ]`'
        : undefined,
    );
  const found = constant(expression, context);
  if (found === undefined) return undefined;
  const value = coerce(found, type, expression.span, context);
  if (type.kind !== 'string' || typeof value !== 'string') return value;
  if (SECRET.test(value)) return context.report(errors.looksSecret(expression.span));
  const form = type.form ?? (type.names === undefined ? undefined : 'filled');
  if (form !== undefined && checkForm(value, form, expression.span, context) === undefined) return undefined;
  if (type.names === undefined) return value;
  return checkPath(value, type.names, expression.span, context);
};

/** A word of the language: the choices come before names of the file. */
const choice: Evaluate<'enum'> = (expression, type, context) => {
  if (expression.kind === 'string')
    return context.report(
      type.values.includes(expression.value)
        ? errors.quotedChoice(expression.span, expression.value)
        : errors.unknownChoice(expression.span, expression.value, type.values),
    );
  if (expression.kind !== 'reference') return wrongType(expression, type, context);
  const word = expression.path.map(({ text }) => text).join('.');
  if (type.values.includes(word)) return word;
  if (!isValue(context.scope.lookup(word)))
    return context.report(errors.unknownChoice(expression.span, word, type.values));
  const value = constant(expression, context);
  return value === undefined ? undefined : coerce(value, type, expression.span, context);
};

const list: Evaluate<'list'> = (expression, type, context, path) => {
  if (expression.kind === 'list') {
    if (expression.items.length < (type.min ?? 0))
      return context.report(errors.emptyList(expression.span, typeNoun(type)));
    const quoted = namesInQuotes(expression.items, type.of);
    if (quoted !== undefined) context.report(quoted.error);
    const items = expression.items.map((item) =>
      quoted?.items.includes(item) === true
        ? undefined
        : item.kind === 'list' && type.of.kind !== 'list'
          ? context.report(errors.listInList(item.span, typeNoun(type)))
          : evaluate(item, type.of, context, undefined),
    );
    if (!items.every((item) => item !== undefined)) return undefined;
    // The values of a matrix have an error of their own.
    if (path !== undefined) reportRepeated(items, expression.items, context);
    return items;
  }
  const alone = context.fork();
  if (evaluate(expression, type.of, alone, path) === undefined && alone.errors > 0) {
    // Neither a list nor an item of one: an unknown name is worth more than the missing brackets.
    if (expression.kind === 'reference' || expression.kind === 'call') {
      context.adopt(alone);
      return undefined;
    }
    return wrongType(expression, type, context);
  }
  const { file, start, end } = expression.span;
  return context.report(
    errors.typeMismatch(expression.span, typeNoun(type), `${expressionNoun(expression)} alone`, {
      help: 'put it in a list: `[ … ]`',
      fixes: [
        {
          title: 'put it in a list',
          applicability: 'safe',
          edits: [
            { span: { file, start, end: start }, text: '[' },
            { span: { file, start: end, end }, text: ']' },
          ],
        },
      ],
    }),
  );
};

/** Nothing is measured, dropped or read twice for standing in a list twice. */
function reportRepeated(items: readonly Value[], written: readonly Expression[], context: Context): void {
  const first = new Map<string, Expression>();
  for (const [index, item] of items.entries()) {
    const [key, expression] = [JSON.stringify(item), written[index]];
    const before = first.get(key);
    if (expression === undefined) continue;
    if (before === undefined) first.set(key, expression);
    else context.report(errors.repeatedItem(expression.span, before.span));
  }
}

const record: Evaluate<'record'> = (expression, type, context, path) => {
  if (expression.kind !== 'record') {
    const form = Object.keys(type.fields).map((key) => `${key}: …`);
    return wrongType(
      expression,
      type,
      context,
      presetHelp(expression, context) ??
        methodHelp(expression) ??
        `write \`{ ${form.join(', ')} }\`; some entries may be omitted`,
    );
  }
  const last = path?.split('.').at(-1);
  const where = last === undefined ? 'this record' : `\`${last}\``;
  return evaluateEntries(expression.entries, type.fields, context, {
    path,
    missing: (key, doc) => errors.missingSetting(expression.span, where, key, doc),
    unknown: (key, known, value) =>
      names.unknownSetting(key.span, key.text, where, settingHint(key, value, { known })),
  });
};

const map: Evaluate<'map'> = (expression, type, context, path) => {
  if (expression.kind !== 'record')
    return wrongType(
      expression,
      type,
      context,
      'write `{ name: value }`; a name with dots is written in quotes',
    );
  const firsts = new Map<string, Span>();
  const entries = expression.entries.flatMap(({ key, value }): [string, Value][] => {
    const first = firsts.get(key.text);
    if (first !== undefined) {
      context.report(names.duplicateKey(key.span, key.text, first));
      return [];
    }
    firsts.set(key.text, key.span);
    const found = evaluate(value, type.of, context, path && `${path}.${key.text}`);
    return found === undefined ? [] : [[key.text, found]];
  });
  return entries.length === expression.entries.length ? Object.fromEntries(entries) : undefined;
};

const evaluators: { readonly [K in SettingType['kind']]: Evaluate<K> } = {
  boolean: simple,
  integer: simple,
  number: simple,
  string: simple,
  quantity: simple,
  none: simple,
  list,
  record,
  map,
  enum: choice,
  call: evaluateCall,
  file: evaluateFile,
  secret: evaluateSecret,
  port: evaluatePort,
  union: evaluateUnion,
};

/** `size.rows`, where `size` is a parameter. */
function portOfNoStage(expression: Expression, context: Context): Diagnostic | undefined {
  if (expression.kind !== 'reference') return undefined;
  const [first, second] = expression.path;
  if (first === undefined || second === undefined) return undefined;
  const symbol = context.scope.own.get(first.text);
  if (
    symbol === undefined ||
    symbol.kind === 'stage' ||
    symbol.kind === 'search' ||
    symbol.kind === 'unknown'
  )
    return undefined;
  return names.noPorts(second.span, first.text, SYMBOL_NOUNS[symbol.kind]);
}

/** `adapter = "qlora"` */
function methodHelp(expression: Expression): string | undefined {
  const word =
    expression.kind === 'string'
      ? expression.value
      : expression.kind === 'reference'
        ? expression.path[0]?.text
        : undefined;
  return METHODS.some((method) => method === word)
    ? `a method is chosen in the heading: \`train adapter using ${word} {\``
    : undefined;
}

/** A preset is no value: it is applied to a block. */
function presetHelp(expression: Expression, context: Context): string | undefined {
  const [word] = expression.kind === 'reference' ? expression.path : [];
  return word !== undefined && context.scope.lookup(word.text)?.kind === 'preset'
    ? `a preset is applied in the heading of the block: \`… using ${word.text} {\``
    : undefined;
}

/** Whether `none` is a value of the type, and not only a word for leaving the setting out. */
export const takesNone = (type: SettingType): boolean =>
  type.kind === 'none' || (type.kind === 'union' && type.of.some(takesNone));

/**
 * `undefined` if the expression has no value of this type, which has been reported; `null` for `none` if the
 * setting may be left out.
 */
export function evaluate(
  expression: Expression,
  type: SettingType,
  context: Context,
  path: string | undefined,
  { mayBeLeftOut = false } = {},
): Value | undefined {
  if (expression.kind === 'missing') return undefined;
  const misplaced = portOfNoStage(expression, context) ?? strayedSecret(expression, type, context);
  if (misplaced !== undefined) return context.report(misplaced);
  if (expression.kind === 'none' && !takesNone(type))
    return mayBeLeftOut ? null : context.report(errors.valueNeeded(expression.span, typeNoun(type)));
  const foreign = expression.kind === 'bad_quantity' ? foreignNumber(expression, type) : undefined;
  if (foreign !== undefined) return context.report(foreign);
  if (expression.kind === 'conditional') {
    const condition = truth(expression.condition, context);
    // Both branches are checked; only the one that is taken leaves traces.
    const [then, otherwise] = [context.fork(), context.fork()];
    const values = [
      evaluate(expression.whenTrue, type, then, path, { mayBeLeftOut }),
      evaluate(expression.whenFalse, type, otherwise, path, { mayBeLeftOut }),
    ] as const;
    const [taken, left] = condition === false ? [otherwise, then] : [then, otherwise];
    context.adopt(taken);
    context.diagnostics.push(...left.diagnostics);
    return condition === undefined ? undefined : condition ? values[0] : values[1];
  }
  // The table has one entry a kind: the entry found for `type.kind` takes `type`.
  return (evaluators[type.kind] as Evaluate<SettingType['kind']>)(expression, type, context, path);
}
