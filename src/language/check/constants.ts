/** Values that are known when the program is compiled; whatever has none is reported, and gives `undefined`. */
import * as names from '../diagnostics/catalogue/names.js';
import * as paramErrors from '../diagnostics/catalogue/params.js';
import * as errors from '../diagnostics/catalogue/values.js';
import type { MetricName } from '../ir/program.js';
import type { Expression } from '../syntax/ast.js';
import type { Context } from './context.js';
import {
  checkExpression,
  constantOf,
  type ExpressionNames,
  literal,
  type SyntaxOf,
  valueNode,
} from './expressions.js';
import { constantNoun, expressionNoun } from './nouns.js';
import type { Constant } from './scope.js';

export function constant(expression: Expression, context: Context): Constant | undefined {
  switch (expression.kind) {
    case 'reference':
      return reference(expression, context);
    case 'unary':
    case 'binary': {
      const checked = checkExpression(expression, constantNames(context), context);
      return checked && constantOf(checked);
    }
    case 'conditional': {
      const condition = truth(expression.condition, context);
      const then = constant(expression.whenTrue, context);
      const otherwise = constant(expression.whenFalse, context);
      return condition === undefined ? undefined : condition ? then : otherwise;
    }
    default:
      return literal(expression, context);
  }
}

/** Names of parameters and matrices, and no others. */
export const constantNames = <Name extends MetricName>(context: Context): ExpressionNames<Name> => ({
  none: 'none',
  reference(expression) {
    const found = reference(expression, context);
    return found && valueNode(found, expression, 'none', context);
  },
});

/** A condition that is known before the run. */
export function truth(expression: Expression, context: Context): boolean | undefined {
  const found = constant(expression, context);
  if (found === undefined || typeof found.value === 'boolean') return found?.value as boolean | undefined;
  return context.report(errors.typeMismatch(expression.span, '`true` or `false`', constantNoun(found)));
}

function reference(expression: SyntaxOf<'reference'>, context: Context): Constant | undefined {
  const [first, second] = expression.path;
  if (first === undefined) return undefined;
  const symbol = context.scope.lookup(first.text);
  const noPorts = (): undefined =>
    second &&
    context.report(
      names.noPorts(second.span, first.text, symbol?.kind === 'matrix' ? 'matrix' : 'parameter'),
    );
  switch (symbol?.kind) {
    case 'matrix':
      if (symbol.isOpen) return context.report(paramErrors.matrixOfMatrix(expression.span, first.text));
      return second === undefined ? symbol.constant() : noPorts();
    case 'param':
      return second === undefined ? symbol.constant(expression.span) : noPorts();
    case 'secret':
      return context.report(
        paramErrors.secretUsed(expression.span, first.text, symbol.declaration.name.span),
      );
    case 'unknown':
      return undefined;
    case undefined:
      return context.report(
        names.unknownName(first.span, first.text, context.scope.declared('param', 'matrix'), second),
      );
    default:
      if (context.scope.ambiguous.has(first.text)) return undefined;
      return context.report(errors.notConstant(expression.span, expressionNoun(expression)));
  }
}
