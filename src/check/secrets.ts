/** A setting that takes a secret keeps its name and where it is read from, never what it holds. */
import * as errors from '../diagnostics/catalogue/values.js';
import { expressionNoun, typeNoun } from './describe.js';
import type { Evaluate } from './evaluate.js';

export const evaluateSecret: Evaluate<'secret'> = (expression, type, context) => {
  const [word, more] = expression.kind === 'reference' ? expression.path : [];
  const symbol = word === undefined || more !== undefined ? undefined : context.scope.lookup(word.text);
  if (symbol?.kind === 'unknown') return undefined;
  if (symbol?.kind !== 'secret')
    return context.report(
      errors.typeMismatch(expression.span, typeNoun(type), expressionNoun(expression), {
        help: 'declare `secret hub_token = env("HF_TOKEN")` and write its name here',
      }),
    );
  const { name, value } = symbol.declaration;
  const variable = value.kind === 'call' ? value.args[0]?.value : undefined;
  // Another form has been reported where it is declared.
  return variable?.kind === 'string' ? { secret: name.text, env: variable.value } : undefined;
};
