import * as errors from '../diagnostics/catalogue/values.js';
import { coerce } from './coerce.js';
import { constant } from './constants.js';
import type { Evaluate } from './evaluator.js';
import { expressionNoun, typeNoun } from './nouns.js';
import { isValue } from './symbols.js';

/** A word of the language: the choices come before names of the file. */
export const evaluateEnum: Evaluate<'enum'> = (expression, type, context) => {
  if (expression.kind === 'string')
    return context.report(
      type.values.includes(expression.value)
        ? errors.quotedChoice(expression.span, expression.value)
        : errors.unknownChoice(expression.span, expression.value, type.values),
    );
  if (expression.kind !== 'reference')
    return context.report(errors.typeMismatch(expression.span, typeNoun(type), expressionNoun(expression)));
  const word = expression.path.map(({ text }) => text).join('.');
  if (type.values.includes(word)) return word;
  if (!isValue(context.scope.lookup(word)))
    return context.report(errors.unknownChoice(expression.span, word, type.values));
  const value = constant(expression, context);
  return value === undefined ? undefined : coerce(value, type, expression.span, context);
};
