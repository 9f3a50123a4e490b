/** Expressions as one would write them: layout and the way a number was written do not show. */
import { NEGATE_PRECEDENCE, NOT_PRECEDENCE, PRECEDENCE } from '../../../grammar/operators.js';
import { isComparison, namesIn, unitOf } from './expression.js';
import type { BinaryExpression, Expression, Unit, ValueType } from './program.js';

/** A number with the unit of what it is compared with. */
type NumberText = (value: number, unit: Unit | undefined) => string;

/** `exact_match - baseline.exact_match >= 20%`, with the brackets that it needs. */
export const expressionText = (expression: Expression, numberText: NumberText): string =>
  text(expression, measureOf(expression), numberText, 0);

function text(
  expression: Expression,
  measure: ValueType | undefined,
  numberText: NumberText,
  outer: number,
): string {
  const inner = (part: Expression, of: ValueType | undefined, binds: number): string =>
    text(part, of, numberText, binds);
  switch (expression.op) {
    case 'value':
      if (expression.value === null) return 'none';
      return typeof expression.value === 'number'
        ? numberText(expression.value, measure && unitOf(measure))
        : JSON.stringify(expression.value);
    case 'name':
      return expression.path.join('.');
    case 'not':
      return bracketed(`not ${inner(expression.operand, undefined, NOT_PRECEDENCE)}`, NOT_PRECEDENCE, outer);
    case 'negate':
      return bracketed(`-${inner(expression.operand, measure, NEGATE_PRECEDENCE)}`, NEGATE_PRECEDENCE, outer);
    case 'choose': {
      const { condition, whenTrue, whenFalse } = expression;
      const parts = [
        inner(condition, undefined, 1),
        inner(whenTrue, measure, 1),
        inner(whenFalse, measure, 0),
      ];
      return bracketed(`${parts[0]} ? ${parts[1]} : ${parts[2]}`, 0, outer);
    }
    default: {
      const { op, left, right } = expression;
      const binds = PRECEDENCE[op];
      const of = operandMeasure(expression, measure);
      return bracketed(`${inner(left, of, binds)} ${op} ${inner(right, of, binds + 1)}`, binds, outer);
    }
  }
}

/** What the numbers on both sides of an operator measure; factors are plain. */
function operandMeasure(expression: BinaryExpression, measure: ValueType | undefined): ValueType | undefined {
  const { op } = expression;
  if (op === '+' || op === '-') return measure;
  return isComparison(op) ? measureOf(expression) : undefined;
}

/** What the first name in it measures. */
const measureOf = (expression: Expression): ValueType | undefined => namesIn(expression)[0]?.type;

const bracketed = (inner: string, binds: number, outer: number): string =>
  binds < outer ? `(${inner})` : inner;
