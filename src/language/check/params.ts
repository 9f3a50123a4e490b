/** Parameters: their types, defaults and values from the command line. */
import * as errors from '../diagnostics/catalogue/params.js';
import { valueCycle } from '../diagnostics/catalogue/wiring.js';
import { type SettingType, t } from '../schemas/schema.js';
import { lookUp } from '../source/look-up.js';
import type { Span } from '../source/span.js';
import type { Param, Range, Word } from '../syntax/ast.js';
import type { Context } from './context.js';
import { given, measured, type Overrides } from './overrides.js';
import type { Constant, ParamSymbol } from './scope.js';
import { evaluate } from './setting-value.js';

/** Types that a parameter may have; `none` is allowed nowhere, so that every parameter has a value. */
export const PARAM_TYPES: Readonly<Record<string, SettingType>> = {
  Bool: t.boolean.type,
  Int: t.integer().type,
  Number: t.number().type,
  String: t.string.type,
  Model: t.call('model').type,
  Tokens: t.quantity('tokens').type,
  Steps: t.quantity('steps').type,
  Bytes: t.quantity('bytes').type,
  Duration: t.quantity('seconds').type,
  Ratio: t.quantity('ratio').type,
};

/** The type that a parameter or a matrix is declared with. */
export function declaredType(word: Word, context: Context): SettingType | undefined {
  const type = lookUp(PARAM_TYPES, word.text);
  if (type === undefined && word.text !== '')
    context.report(errors.unknownParamType(word.span, word.text, Object.keys(PARAM_TYPES)));
  return type;
}

/** The type narrowed to the range, which may refer to any name of the file. */
export const narrowed = (
  type: SettingType,
  { type: word, range }: { readonly type: Word; readonly range?: Range },
  context: Context,
): SettingType => (range === undefined ? type : ranged(type, word.text, range, context));

function ranged(type: SettingType, name: string, range: Range, context: Context): SettingType {
  if (type.kind !== 'integer' && type.kind !== 'number' && type.kind !== 'quantity') {
    context.report(errors.rangeWithoutOrder(range.span, name));
    return type;
  }
  const end = (written: Range['min']): number | undefined => {
    const value = written === undefined ? undefined : evaluate(written, type, context, undefined);
    return typeof value === 'number' ? value : undefined;
  };
  const [min, max] = [end(range.min), end(range.max)];
  if (min !== undefined && max !== undefined && min > max) {
    context.report(errors.emptyRange(range.span));
    return type;
  }
  return { ...type, min, max };
}

/** `overrides`: values from outside, which only the pipeline's own parameters get. */
export function paramSymbol(
  declaration: Param,
  context: Context,
  overrides: Overrides | undefined,
): ParamSymbol {
  const { name } = declaration;
  const type = declaredType(declaration.type, context);
  let state: 'new' | 'busy' | { readonly constant: Constant | undefined } = 'new';
  const constant = (at: Span = name.span): Constant | undefined => {
    const { open } = context;
    if (state === 'busy') {
      const from = open.findIndex((step) => step.name === name.text);
      context.report(valueCycle([...open.slice(from + 1), { name: name.text, at }]));
      state = { constant: undefined };
    }
    if (state === 'new') {
      state = 'busy';
      open.push({ name: name.text, at });
      const found = type && paramValue(declaration, narrowed(type, declaration, context), context, overrides);
      open.pop();
      if (state === 'busy') state = { constant: found };
    }
    return typeof state === 'object' ? state.constant : undefined;
  };
  return { kind: 'param', declaration, type, constant };
}

function paramValue(
  declaration: Param,
  type: SettingType,
  context: Context,
  overrides: Overrides | undefined,
): Constant | undefined {
  const { name, value: written } = declaration;
  const override = lookUp(overrides, name.text);
  if (override !== undefined) return given(override, declaration, type, context);
  if (written === undefined)
    return context.report(errors.missingParam(name.span, name.text, overrides !== undefined));
  const value = evaluate(written, type, context, undefined);
  return value === undefined ? undefined : measured(value, type, written.span);
}
