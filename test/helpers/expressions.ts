/** Trees of conditions, as the checker makes them. */
import { isComparison } from '../../src/language/ir/expression.js';
import type { BinaryExpression, Expression, Scalar, ValueType } from '../../src/language/ir/program.js';

export const metric = (...path: readonly string[]): Expression => measuring('number', ...path);

export const measuring = (type: ValueType, ...path: readonly string[]): Expression => ({
  op: 'name',
  path,
  type,
});

export const value = (it: Scalar): Expression => ({
  op: 'value',
  value: it,
  type:
    typeof it === 'number' ? 'number' : typeof it === 'boolean' ? 'boolean' : it === null ? 'none' : 'text',
});

export const binary = (left: Expression, op: BinaryExpression['op'], right: Expression): Expression => ({
  op,
  left,
  right,
  type: isComparison(op) || op === 'and' || op === 'or' ? 'boolean' : 'number',
});

export const not = (operand: Expression): Expression => ({ op: 'not', operand, type: 'boolean' });

export const negate = (operand: Expression): Expression => ({ op: 'negate', operand, type: operand.type });
