/** A value of one of several types: the first that fits; where none does, the error of the one that was meant. */
import * as names from '../diagnostics/catalogue/names.js';
import * as errors from '../diagnostics/catalogue/values.js';
import { named } from '../diagnostics/make.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { SettingType } from '../schemas/schema.js';
import type { Expression } from '../syntax/ast.js';
import type { Context, Evaluate } from './context.js';
import { expressionNoun, typeNoun } from './nouns.js';
import { evaluate, takesNone } from './setting-value.js';
import { needsUnit } from './units.js';

export const evaluateUnion: Evaluate<'union'> = (expression, type, context, path) => {
  const attempts: { readonly alternative: SettingType; readonly fork: Context }[] = [];
  for (const alternative of type.of) {
    const fork = context.fork();
    const value = evaluate(expression, alternative, fork, path);
    if (value !== undefined && fork.errors === 0) {
      context.adopt(fork);
      return value;
    }
    attempts.push({ alternative, fork });
  }
  // What is silent has been reported elsewhere.
  if (attempts.some(({ fork }) => fork.errors === 0)) return undefined;
  const meant = attempts.filter(({ alternative }) => hasForm(expression, alternative, context));
  // `10k` where a number or a word may be: no unit is right there, and the number is what was meant.
  if (meant.length === 0 && expression.kind === 'bad_quantity')
    meant.push(...attempts.filter(({ alternative }) => isNumeric(alternative)));
  // `"org/name"` where a model may be: a call that takes the text.
  if (meant.length === 0 && expression.kind === 'string') {
    const stage = context.scope.lookup(expression.value.split('.')[0] ?? '');
    const kind = stage?.kind === 'stage' ? 'port' : 'call';
    meant.push(...attempts.filter(({ alternative }) => alternative.kind === kind));
  }
  const [only] = meant;
  if (only !== undefined && meant.length === 1) {
    if (takesNone(type)) sayNoLimit(only.fork.diagnostics);
    context.adopt(only.fork);
    return undefined;
  }
  return context.report(noneFits(expression, type, context));
};

/** What takes `none` is a limit, and 0 if none was meant is out of range. */
function sayNoLimit(diagnostics: Diagnostic[]): void {
  for (const [index, diagnostic] of diagnostics.entries())
    if (diagnostic.code === 'FTP0305') diagnostics[index] = { ...diagnostic, help: '`none` means no limit' };
}

function noneFits(expression: Expression, type: Extract<SettingType, { kind: 'union' }>, context: Context) {
  if (expression.kind === 'reference') {
    const [first, second] = expression.path;
    if (first !== undefined && context.scope.lookup(first.text) === undefined)
      return names.unknownName(
        first.span,
        first.text,
        [...context.scope.declared('param', 'matrix', 'stage'), ...choices(type)],
        second,
      );
  }
  const units = type.of.flatMap((alternative) => (alternative.kind === 'quantity' ? alternative.units : []));
  if (expression.kind === 'number' && units.length > 0)
    return needsUnit(expression.value, units, expression.span);
  const call = type.of.find((alternative) => alternative.kind === 'call');
  const known = call === undefined ? [] : context.scope.functions(call.family);
  return errors.typeMismatch(expression.span, typeNoun(type), expressionNoun(expression), {
    help:
      call !== undefined && expression.kind === 'string' && known.length > 0
        ? `${typeNoun(call)} is a call: ${named(known.map((name) => `${name}(…)`))}`
        : undefined,
  });
}

const isNumeric = ({ kind }: SettingType): boolean => kind === 'integer' || kind === 'number';

const choices = (type: SettingType): readonly string[] =>
  type.kind === 'union' ? type.of.flatMap(choices) : type.kind === 'enum' ? type.values : [];

/** Does an expression look like a value of this type, whatever its content? */
function hasForm(expression: Expression, type: SettingType, context: Context): boolean {
  switch (expression.kind) {
    case 'list':
      return type.kind === 'list';
    case 'record':
      return type.kind === 'record' || type.kind === 'map';
    case 'call':
      return type.kind === (expression.callee.text === 'file' ? 'file' : 'call');
    case 'string':
      return type.kind === 'string';
    case 'number':
      return isNumeric(type);
    case 'quantity':
    case 'bad_quantity':
      return type.kind === 'quantity';
    case 'boolean':
      return type.kind === 'boolean';
    case 'none':
      return type.kind === 'none';
    case 'reference': {
      const [first, second] = expression.path;
      const symbol = first === undefined ? undefined : context.scope.lookup(first.text);
      const isOutput = symbol?.kind === 'stage' || symbol?.kind === 'search' || second !== undefined;
      if (isOutput) return type.kind === 'port';
      if (symbol?.kind === 'function') return type.kind === 'call';
      return symbol === undefined && type.kind === 'enum';
    }
    case 'unary':
    case 'binary':
      return isNumeric(type) || type.kind === 'quantity';
    default:
      return false;
  }
}
