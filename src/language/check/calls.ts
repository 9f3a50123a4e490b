/** Calls of standard-library functions: `adamw(rate: 2e-4)`, and bare names that stand for a call without arguments. */

import * as names from '../diagnostics/catalogue/names.js';
import * as params from '../diagnostics/catalogue/params.js';
import * as errors from '../diagnostics/catalogue/values.js';
import { nearest } from '../diagnostics/did-you-mean.js';
import type { Value } from '../ir/program.js';
import { functions, spelling } from '../schemas/functions/index.js';
import type { Family, FunctionSchema } from '../schemas/schema.js';
import type { Argument, Entry, Word } from '../syntax/ast.js';
import { callInQuotes } from './call-in-quotes.js';
import { coerce } from './coerce.js';
import { constant } from './constants.js';
import type { Context, Evaluate } from './context.js';
import { evaluateEntries } from './fields.js';
import { FAMILY_NOUNS, wrongType } from './nouns.js';
import { withSecret } from './secrets.js';
import { settingHint } from './setting-hints.js';

export const evaluateCall: Evaluate<'call'> = (expression, type, context, path) => {
  const mismatch = (help?: string) => wrongType(expression, type, context, help);
  if (expression.kind === 'call') return call(expression.callee, expression.args, type.family, context, path);
  if (expression.kind === 'string') return context.report(callInQuotes(expression, type, context));
  if (expression.kind !== 'reference') return mismatch();
  const [word, more] = expression.path;
  if (word === undefined) return undefined;
  const symbol = more === undefined ? context.scope.lookup(word.text) : undefined;
  switch (symbol?.kind) {
    case 'function':
      return call(word, [], type.family, context, path);
    case 'param':
    case 'matrix': {
      const value = constant(expression, context);
      return value === undefined ? undefined : coerce(value, type, expression.span, context);
    }
    case 'secret':
      return context.report(params.secretUsed(expression.span, word.text, symbol.declaration.name.span));
    case 'unknown':
      return undefined;
    case undefined:
      return more === undefined ? unknownFunction(word, type.family, context) : mismatch();
    default:
      return context.scope.ambiguous.has(word.text) ? undefined : mismatch();
  }
};

function unknownFunction(word: Word, family: Family, context: Context): undefined {
  const { scope } = context;
  if (scope.isUncertain(word.text)) return undefined;
  if (scope.isPort(word.text)) return context.report(names.calledPort(word.span, word.text));
  const module = scope.moduleOf(word.text);
  return context.report(
    module === undefined
      ? names.unknownFunction(
          word.span,
          word.text,
          scope.functions(family),
          unimported(word.text, family, context),
        )
      : names.notImported({ names: [word], module, importing: (listed) => scope.importing(listed, module) }),
  );
}

/** A function of the library of nearly this name, which the file does not import; none if one of the file is nearer. */
function unimported(name: string, family: Family, { scope }: Context) {
  const own = scope.functions(family);
  const all = Object.keys(functions)
    .filter((known) => functions[known]?.family === family)
    .map(spelling);
  const meant = nearest(name, [...own, ...all]);
  const module =
    meant === undefined || scope.callable(meant) !== undefined ? undefined : scope.moduleOf(meant);
  return meant === undefined || module === undefined
    ? undefined
    : { name: meant, module, put: scope.importing(meant, module) };
}

function call(
  callee: Word,
  args: readonly Argument[],
  family: Family,
  context: Context,
  path: string | undefined,
): Value | undefined {
  const known = () => context.scope.functions(family);
  if (callee.text === 'env') return context.report(params.envOutsideSecret(callee.span));
  if (callee.text === 'file')
    return context.report(errors.wrongFamily(callee.span, 'file', 'file', FAMILY_NOUNS[family], known()));
  const symbol = context.scope.callable(callee.text, family);
  if (symbol === undefined) return unknownFunction(callee, family, context);
  if (symbol.schema.family !== family)
    return context.report(
      errors.wrongFamily(
        callee.span,
        callee.text,
        FAMILY_NOUNS[symbol.schema.family],
        FAMILY_NOUNS[family],
        known(),
      ),
    );
  const before = context.errors;
  const entries = nameArguments(callee, args, symbol.schema, context);
  const isUnclear = context.errors > before;
  const isKnown = ({ key }: Entry): boolean => Object.hasOwn(symbol.schema.args, key.text);
  const mayBeThere = isUnclear || !entries.every(isKnown);
  const values = evaluateEntries(entries, symbol.schema.args, context, {
    path,
    // An argument that could not be told, or has another name, may be the one that is missing.
    missing: (key, doc) =>
      mayBeThere ? undefined : errors.missingArgument(callee.span, callee.text, key, doc),
    unknown: (key, known, value) =>
      names.unknownArgument(
        key.span,
        key.text,
        callee.text,
        known.length === 0
          ? { help: `\`${callee.text}\` takes no arguments` }
          : settingHint(key, value, { known, callee: callee.text }),
      ),
  });
  if (values === undefined || isUnclear) return undefined;
  return {
    call: symbol.name,
    args: family === 'target' ? withSecret(values, symbol.schema, context) : values,
  };
}

/** Gives positional arguments the names that the schema has for them. */
function nameArguments(
  callee: Word,
  args: readonly Argument[],
  schema: FunctionSchema,
  context: Context,
): readonly Entry[] {
  let position = 0;
  let named = false;
  return args.flatMap(({ name, value }): readonly Entry[] => {
    named ||= name !== undefined;
    if (name !== undefined) return [{ key: name, value }];
    const text = schema.positional[position++];
    if (text !== undefined && named)
      context.report(errors.positionalAfterNamed(value.span, callee.text, text));
    if (text !== undefined) return [{ key: { text, span: value.span }, value }];
    const known = Object.keys(schema.args);
    const given = [...schema.positional, ...args.map((arg) => arg.name?.text)];
    const free = known.filter((key) => !given.includes(key));
    // What must be there is meant before what may.
    const needed = free.filter((key) => schema.args[key]?.required === true);
    context.report(
      errors.tooManyArguments(value.span, callee.text, known, needed.length > 0 ? needed : free),
    );
    return [];
  });
}
