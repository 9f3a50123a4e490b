/** A setting that takes a secret keeps its name and where it is read from, never what it holds. */

import { unknownName } from '../diagnostics/catalogue/names.js';
import { secretUsed } from '../diagnostics/catalogue/params.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Values } from '../ir/program.js';
import type { FunctionSchema, SettingType } from '../schemas/schema.js';
import type { Expression } from '../syntax/ast.js';
import type { Context, Evaluate } from './context.js';
import { wrongType } from './nouns.js';

export const evaluateSecret: Evaluate<'secret'> = (expression, type, context) => {
  const [word, more] = expression.kind === 'reference' ? expression.path : [];
  const symbol = word === undefined || more !== undefined ? undefined : context.scope.lookup(word.text);
  if (symbol?.kind === 'unknown') return undefined;
  if (word !== undefined && symbol === undefined)
    return context.report(unknownName(word.span, word.text, context.scope.declared('secret')));
  if (symbol?.kind !== 'secret')
    return wrongType(
      expression,
      type,
      context,
      'declare `secret hub_token = env("HF_TOKEN")` and write its name here',
    );
  const { name, value } = symbol.declaration;
  const variable = value.kind === 'call' ? value.args[0]?.value : undefined;
  // Another form has been reported where it is declared.
  return variable?.kind === 'string' ? { secret: name.text, env: variable.value } : undefined;
};

/** The only secret of the file, where an argument that takes one was left out. */
export function withSecret(values: Values, { args }: FunctionSchema, { scope }: Context): Values {
  const secrets = [...scope.own.values()].filter((symbol) => symbol.kind === 'secret');
  const [only, second] = secrets;
  if (args['token'] === undefined || values['token'] != null || only === undefined || second !== undefined)
    return values;
  const { name, value } = only.declaration;
  const variable = value.kind === 'call' ? value.args[0]?.value : undefined;
  if (variable?.kind !== 'string') return values;
  scope.used.add(name.text);
  return { ...values, token: { secret: name.text, env: variable.value } };
}

/** A secret where the setting takes none; inside a list, a record or a computation it is found there. */
export function strayedSecret(
  expression: Expression,
  type: SettingType,
  context: Context,
): Diagnostic | undefined {
  if (expression.kind !== 'reference' || takesSecret(type)) return undefined;
  const [word] = expression.path;
  const symbol = word === undefined ? undefined : context.scope.own.get(word.text);
  if (word === undefined || symbol?.kind !== 'secret') return undefined;
  // A choice of the setting comes before names of the file.
  if (type.kind === 'enum' && type.values.includes(word.text)) return undefined;
  context.scope.used.add(word.text);
  return secretUsed(expression.span, word.text, symbol.declaration.name.span);
}

const takesSecret = (type: SettingType): boolean =>
  type.kind === 'secret' || (type.kind === 'union' && type.of.some(takesSecret));
