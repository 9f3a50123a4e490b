/** Folds expressions of literals and parameters; whatever it cannot fold it reports, and gives `undefined`. */

import * as names from '../diagnostics/catalogue/names.js';
import * as paramErrors from '../diagnostics/catalogue/params.js';
import * as errors from '../diagnostics/catalogue/values.js';
import type { Unit } from '../ir/types.js';
import type { Expression } from '../syntax/ast.js';
import type { Context } from './context.js';
import { constantNoun, expressionNoun } from './describe.js';
import type { Constant } from './symbols.js';
import { baseValue, foreignNumber, unitNoun, unknownUnit } from './units.js';

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

export function constant(expression: Expression, context: Context): Constant | undefined {
  switch (expression.kind) {
    case 'number':
    case 'string':
    case 'boolean':
      return { value: expression.value };
    case 'none':
      return { value: null };
    case 'quantity':
      return {
        ...baseValue(expression.value, expression.suffix),
        written: `${expression.value}${expression.suffix}`,
      };
    case 'bad_quantity':
      return context.report(foreignNumber(expression, undefined) ?? unknownUnit(expression, undefined));
    case 'reference':
      return reference(expression, context);
    case 'unary':
      return unary(expression, context);
    case 'binary':
      return binary(expression, context);
    case 'conditional': {
      const condition = truth(expression.condition, context);
      const then = constant(expression.whenTrue, context);
      const otherwise = constant(expression.whenFalse, context);
      return condition === undefined ? undefined : condition ? then : otherwise;
    }
    case 'missing':
      return undefined;
    default:
      return context.report(
        errors.typeMismatch(expression.span, 'a simple value', expressionNoun(expression)),
      );
  }
}

/** A condition that is known before the run. */
export function truth(expression: Expression, context: Context): boolean | undefined {
  const found = constant(expression, context);
  if (found === undefined || typeof found.value === 'boolean') return found?.value as boolean | undefined;
  return context.report(errors.typeMismatch(expression.span, '`true` or `false`', constantNoun(found)));
}

function reference(expression: Of<'reference'>, context: Context): Constant | undefined {
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
        names.unknownName(first.span, first.text, context.scope.declared('param', 'matrix')),
      );
    default:
      if (context.scope.ambiguous.has(first.text)) return undefined;
      return context.report(errors.notConstant(expression.span, expressionNoun(expression)));
  }
}

function unary(expression: Of<'unary'>, context: Context): Constant | undefined {
  const operand = constant(expression.operand, context);
  if (operand === undefined) return undefined;
  const { value, unit } = operand;
  if (expression.operator === 'not' && typeof value === 'boolean') return { value: !value };
  if (expression.operator === '-' && typeof value === 'number') return { value: -value, unit };
  return context.report(errors.badOperand(expression.span, expression.operator, constantNoun(operand)));
}

const COMPARE: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};
const COMPUTE: Readonly<Record<string, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};

function binary(expression: Of<'binary'>, context: Context): Constant | undefined {
  const left = constant(expression.left, context);
  const right = constant(expression.right, context);
  if (isComparison(expression.operator) && isChained(expression))
    return context.report(errors.chainedComparison(expression.span));
  if (left === undefined || right === undefined) return undefined;
  const { operator } = expression;
  const bad = () =>
    context.report(
      errors.badOperands(
        expression.span,
        operator,
        constantNoun(left),
        constantNoun(right),
        whyNot(left, right),
      ),
    );
  if (operator === 'and' || operator === 'or') {
    if (typeof left.value !== 'boolean' || typeof right.value !== 'boolean') return bad();
    return { value: operator === 'and' ? left.value && right.value : left.value || right.value };
  }
  if (operator === '==' || operator === '!=') {
    if (typeof left.value !== typeof right.value || !isPlain(left) || !isPlain(right)) return bad();
    if (typeof left.value === 'number' && !sameMeasure(left.unit, right.unit)) return bad();
    return { value: (left.value === right.value) === (operator === '==') };
  }
  if (typeof left.value !== 'number' || typeof right.value !== 'number') return bad();
  if (operator === '/' && right.value === 0)
    return context.report(errors.divisionByZero(expression.right.span));
  const compare = COMPARE[operator];
  if (compare !== undefined)
    return sameMeasure(left.unit, right.unit) ? { value: compare(left.value, right.value) } : bad();
  const unit = resultUnit(operator, left.unit, right.unit);
  if (unit === 'bad') return bad();
  return { value: COMPUTE[operator]?.(left.value, right.value) ?? null, unit };
}

const isPlain = ({ value }: Constant): boolean => value === null || typeof value !== 'object';

export const isComparison = (operator: string): boolean => /^[<>!=]/.test(operator);

/** `a < b < c`, unless parentheses say what is meant. */
export const isChained = (expression: Of<'binary'>): boolean =>
  expression.left.kind === 'binary' &&
  expression.left.grouped !== true &&
  isComparison(expression.left.operator);

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

/** Why the two do not go together. */
function whyNot(left: Constant, right: Constant): string | undefined {
  if (typeof left.value === 'string' || typeof right.value === 'string')
    return 'strings cannot be concatenated: write the whole string, or make it a parameter of type `String`';
  if (typeof left.value !== 'number' || typeof right.value !== 'number') return undefined;
  const noun = ({ unit }: Constant): string => (unit === undefined ? 'a bare number' : unitNoun(unit));
  return noun(left) === noun(right)
    ? undefined
    : `${constantNoun(left)} is ${noun(left)}, ${constantNoun(right)} is ${noun(right)}`;
}
