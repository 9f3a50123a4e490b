/** Expressions as trees: their parts, their names, and how measures go together. */
import type { Expression, MetricName, NameExpression, Unit, ValueType } from './program.js';

export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!=';

export const isComparison = (operator: string): operator is Comparison => /^[<>!=]/.test(operator);

/** The parts of an expression, in the order in which they are written. */
export function partsOf<Name, Mark>(expression: Expression<Name, Mark>): readonly Expression<Name, Mark>[] {
  switch (expression.op) {
    case 'value':
    case 'name':
      return [];
    case 'not':
    case 'negate':
      return [expression.operand];
    case 'choose':
      return [expression.condition, expression.whenTrue, expression.whenFalse];
    default:
      return [expression.left, expression.right];
  }
}

/** The names that an expression reads, in the order in which they are written. */
export const namesIn = <Name, Mark>(
  expression: Expression<Name, Mark>,
): readonly NameExpression<Name, Mark>[] =>
  expression.op === 'name' ? [expression] : partsOf(expression).flatMap((part) => namesIn(part));

/** The condition with other names in it. */
export function withNames(
  expression: Expression,
  rename: (path: MetricName['path']) => MetricName['path'],
): Expression {
  const inner = (part: Expression): Expression => withNames(part, rename);
  switch (expression.op) {
    case 'value':
      return expression;
    case 'name':
      return { ...expression, path: rename(expression.path) };
    case 'not':
    case 'negate':
      return { ...expression, operand: inner(expression.operand) };
    case 'choose': {
      const { condition, whenTrue, whenFalse } = expression;
      return {
        ...expression,
        condition: inner(condition),
        whenTrue: inner(whenTrue),
        whenFalse: inner(whenFalse),
      };
    }
    default:
      return { ...expression, left: inner(expression.left), right: inner(expression.right) };
  }
}

/** What a number of this type measures; a plain number measures nothing. */
export const unitOf = (type: ValueType): Unit | undefined =>
  type === 'number' || type === 'boolean' || type === 'text' || type === 'none' || type === 'any'
    ? undefined
    : type;

/** A share is a number: `5%` and `0.05` compare and add. */
const isNumber = (unit: Unit | undefined): boolean => unit === undefined || unit === 'ratio';

export const sameMeasure = (left: Unit | undefined, right: Unit | undefined): boolean =>
  left === right || (isNumber(left) && isNumber(right));

/** The unit of a sum, difference, product or quotient. */
export function resultUnit(
  operator: string,
  left: Unit | undefined,
  right: Unit | undefined,
): Unit | undefined | 'bad' {
  if (operator === '+' || operator === '-') return sameMeasure(left, right) ? (left ?? right) : 'bad';
  if (operator === '*') {
    if (isNumber(right)) return left === 'ratio' && right === undefined ? undefined : left;
    return isNumber(left) ? right : 'bad';
  }
  if (isNumber(right)) return left === 'ratio' && right === 'ratio' ? undefined : left;
  return left === right ? undefined : 'bad';
}
