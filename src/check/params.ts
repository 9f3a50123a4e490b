/** Parameters: their types, defaults and values from the command line. */
import * as errors from '../diagnostics/catalogue/params.js';
import { selfReference } from '../diagnostics/catalogue/wiring.js';
import { sourceText } from '../source/text.js';
import { type SettingType, t } from '../stages/schema.js';
import type { Expression, Param } from '../syntax/ast.js';
import { parseExpression } from '../syntax/parse.js';
import type { Context } from './context.js';
import { evaluate } from './evaluate.js';
import type { Constant, ParamSymbol } from './symbols.js';

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

export type Overrides = Readonly<Record<string, string>>;

export function paramSymbol(declaration: Param, context: Context, overrides: Overrides): ParamSymbol {
  const { name, type: typeWord } = declaration;
  const type = Object.hasOwn(PARAM_TYPES, typeWord.text) ? PARAM_TYPES[typeWord.text] : undefined;
  if (type === undefined && typeWord.text !== '')
    context.report(errors.unknownParamType(typeWord.span, typeWord.text, Object.keys(PARAM_TYPES)));
  let state: 'new' | 'busy' | { readonly constant: Constant | undefined } = 'new';
  const constant = (): Constant | undefined => {
    if (state === 'busy') {
      context.report(selfReference(name.span, name.text));
      state = { constant: undefined };
    }
    if (state === 'new') {
      state = 'busy';
      const found = type === undefined ? undefined : paramValue(declaration, type, context, overrides);
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
  overrides: Overrides,
): Constant | undefined {
  const { name, value: written } = declaration;
  const override = Object.hasOwn(overrides, name.text) ? overrides[name.text] : undefined;
  if (override !== undefined) return fromCommandLine(declaration, override, type, context);
  if (written === undefined) return context.report(errors.missingParam(name.span, name.text));
  return typed(written, type, context);
}

function typed(written: Expression, type: SettingType, context: Context): Constant | undefined {
  const value = evaluate(written, type, context, undefined);
  if (value === undefined) return undefined;
  return type.kind === 'quantity' ? { value, unit: type.units[0] } : { value };
}

function fromCommandLine(
  { name, type: typeWord }: Param,
  text: string,
  type: SettingType,
  context: Context,
): Constant | undefined {
  if (type.kind === 'string' && !text.startsWith('"')) return { value: text };
  const { expression, diagnostics } = parseExpression(sourceText(errors.COMMAND_LINE, text));
  const fork = context.fork();
  const found = diagnostics.length > 0 ? undefined : typed(expression, type, fork);
  if (found !== undefined && fork.diagnostics.length === 0) return found;
  const why = diagnostics[0] ?? fork.diagnostics[0];
  return context.report(
    errors.badParamValue(name.text, text, typeWord.text, why?.message ?? 'it cannot be read'),
  );
}

/** Values for parameters that the pipeline does not have. */
export function checkOverrides(overrides: Overrides, known: readonly string[], context: Context): void {
  for (const name of Object.keys(overrides))
    if (!known.includes(name)) context.report(errors.unknownParam(name, known));
}
