/** Types expressions: what is written → a tree whose names are resolved and whose operands go together. */
import * as errors from '../diagnostics/catalogue/values.js';
import { evaluate } from '../ir/evaluate.js';
import { isComparison, namesIn, resultUnit, sameMeasure, unitOf } from '../ir/expression.js';
import type { Expression as Checked, MetricName, Unit, Value, ValueType } from '../ir/program.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';
import type { Context } from './context.js';
import { constantNoun, expressionNoun } from './nouns.js';
import type { Constant } from './scope.js';
import { baseValue, foreignNumber, needsUnit, suffixesOf, unitNoun, unknownUnit } from './units.js';

export type SyntaxOf<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

/** The span of a part, and its text if it is a literal. */
interface WrittenPart {
  readonly span: Span;
  readonly written?: string;
}

/** `Name` is what supplies a name's value; its path is how it is written. */
export type TypedExpression<Name extends MetricName> = Checked<Name, WrittenPart>;

type Check<Name extends MetricName> = (expression: Expression) => TypedExpression<Name> | undefined;

/** The names that an expression may use; both report what they do not know. */
export interface ExpressionNames<Name extends MetricName> {
  readonly reference: (expression: SyntaxOf<'reference'>) => TypedExpression<Name> | undefined;
  readonly call?: (expression: SyntaxOf<'call'>) => TypedExpression<Name> | undefined;
  /** In conditions of `a ? b : c`; default: the same. */
  readonly inConditions?: ExpressionNames<Name>;
  /** The operands of `==` and `!=`, where a word may be one of the other operand's values. */
  readonly sides?: (
    expression: SyntaxOf<'binary'>,
    check: Check<Name>,
  ) => readonly (TypedExpression<Name> | undefined)[];
  /** `any` where a name may have no value. */
  readonly none: 'none' | 'any';
}

/** `undefined` if something is wrong with it, which has been reported. */
export function checkExpression<Name extends MetricName>(
  expression: Expression,
  names: ExpressionNames<Name>,
  context: Context,
): TypedExpression<Name> | undefined {
  const check: Check<Name> = (part) => checkExpression(part, names, context);
  switch (expression.kind) {
    case 'reference':
      return names.reference(expression);
    case 'call':
      return names.call === undefined ? notSimple(expression, context) : names.call(expression);
    case 'unary':
      return unary(expression, check, context);
    case 'binary':
      return binary(expression, names, check, context);
    case 'conditional':
      return conditional(expression, names, context);
    default: {
      const found = literal(expression, context);
      return found && valueNode(found, expression, names.none, context);
    }
  }
}

/** Only literals have a value by themselves. */
export function literal(expression: Expression, context: Context): Constant | undefined {
  switch (expression.kind) {
    case 'number':
    case 'string':
    case 'boolean':
      return { value: expression.value };
    case 'none':
      return { value: null };
    case 'quantity': {
      const { value, suffix } = expression;
      return { ...baseValue(value, suffix), written: `${value}${suffix}` };
    }
    case 'bad_quantity':
      return context.report(foreignNumber(expression, undefined) ?? unknownUnit(expression, undefined));
    case 'missing':
      return undefined;
    default:
      return notSimple(expression, context);
  }
}

const notSimple = (expression: Expression, context: Context): undefined =>
  context.report(errors.typeMismatch(expression.span, 'a simple value', expressionNoun(expression)));

/** A value that is known when the program is compiled, as a part of an expression. */
export function valueNode<Name extends MetricName>(
  { value, unit, written }: Constant,
  expression: Expression,
  none: 'none' | 'any',
  context: Context,
): TypedExpression<Name> | undefined {
  if (value !== null && typeof value === 'object') return notSimple(expression, context);
  return { op: 'value', value, written, span: expression.span, type: typeOf(value, unit) ?? none };
}

const typeOf = (value: Value, unit: Unit | undefined): ValueType | undefined =>
  typeof value === 'number'
    ? (unit ?? 'number')
    : typeof value === 'boolean'
      ? 'boolean'
      : value === null
        ? undefined
        : 'text';

function unary<Name extends MetricName>(
  expression: SyntaxOf<'unary'>,
  check: Check<Name>,
  context: Context,
): TypedExpression<Name> | undefined {
  const operand = check(expression.operand);
  if (operand === undefined) return undefined;
  const { operator, span } = expression;
  const isNot = operator === 'not';
  if (isNot ? isTruth(operand) : isNumeric(operand))
    return { op: isNot ? 'not' : 'negate', operand, type: operand.type, span };
  return context.report(errors.badOperand(span, operator, nounOf(operand)));
}

function conditional<Name extends MetricName>(
  expression: SyntaxOf<'conditional'>,
  names: ExpressionNames<Name>,
  context: Context,
): TypedExpression<Name> | undefined {
  const condition = checkExpression(expression.condition, names.inConditions ?? names, context);
  const whenTrue = checkExpression(expression.whenTrue, names, context);
  const whenFalse = checkExpression(expression.whenFalse, names, context);
  if (condition === undefined || whenTrue === undefined || whenFalse === undefined) return undefined;
  if (!isTruth(condition))
    return context.report(errors.typeMismatch(condition.span, '`true` or `false`', nounOf(condition)));
  const taken = constantOf(condition)?.value;
  const joint = whenTrue.type === whenFalse.type ? whenTrue.type : 'any';
  const type = taken === undefined ? joint : taken === true ? whenTrue.type : whenFalse.type;
  return { op: 'choose', condition, whenTrue, whenFalse, type, span: expression.span };
}

function binary<Name extends MetricName>(
  expression: SyntaxOf<'binary'>,
  names: ExpressionNames<Name>,
  check: Check<Name>,
  context: Context,
): TypedExpression<Name> | undefined {
  const { operator, span } = expression;
  if (isComparison(operator) && isChained(expression)) return context.report(errors.chainedComparison(span));
  const isEquality = operator === '==' || operator === '!=';
  const sides = isEquality ? names.sides?.(expression, check) : undefined;
  const [left, right] = sides ?? [check(expression.left), check(expression.right)];
  if (left === undefined || right === undefined) return undefined;
  const type = resultType(operator, left, right);
  if (type === undefined) return context.report(refusal(expression, left, right));
  if (operator === '/' && isZero(right)) return context.report(errors.divisionByZero(right.span));
  return { op: operator, left, right, type, span };
}

/** `a < b < c`, unless parentheses say what is meant. */
const isChained = ({ left }: SyntaxOf<'binary'>): boolean =>
  left.kind === 'binary' && left.grouped !== true && isComparison(left.operator);

/** `undefined` if the operands do not go together. */
function resultType(
  operator: SyntaxOf<'binary'>['operator'],
  left: TypedExpression<MetricName>,
  right: TypedExpression<MetricName>,
): ValueType | undefined {
  if (operator === 'and' || operator === 'or') return isTruth(left) && isTruth(right) ? 'boolean' : undefined;
  const isOpen = left.type === 'any' || right.type === 'any';
  const areNumbers = isNumeric(left) && isNumeric(right);
  const [a, b] = [unitOf(left.type), unitOf(right.type)];
  // Nothing is nothing in every unit.
  const isAlike = sameMeasure(a, b) || isZero(left) || isZero(right);
  if (isComparison(operator)) {
    const isEquality = operator === '==' || operator === '!=';
    const fits = areNumbers ? isAlike : isEquality && left.type === right.type;
    return fits || (isOpen && (isEquality || areNumbers)) ? 'boolean' : undefined;
  }
  if (!areNumbers) return undefined;
  if (isOpen) return 'any';
  const unit = resultUnit(operator, a, b);
  if (unit !== 'bad') return unit ?? 'number';
  return isAlike ? (isZero(left) ? b : a) : undefined;
}

const isTruth = ({ type }: { readonly type: ValueType }): boolean => type === 'boolean' || type === 'any';
const isNumeric = ({ type }: { readonly type: ValueType }): boolean =>
  type !== 'boolean' && type !== 'text' && type !== 'none';

/** A number or quantity next to something measured has the wrong unit, or none. */
function refusal<Name extends MetricName>(
  expression: SyntaxOf<'binary'>,
  left: TypedExpression<Name>,
  right: TypedExpression<Name>,
) {
  for (const [written, own, other] of [
    [expression.left, left, right],
    [expression.right, right, left],
  ] as const) {
    const unit = unitOf(other.type);
    if (unit === undefined || namesIn(other).length === 0 || !isNumeric(own)) continue;
    if (written.kind === 'number') return needsUnit(written.value, [unit], written.span);
    if (written.kind === 'quantity')
      return errors.wrongUnit(written.span, expressionNoun(written), unitNoun(unit), suffixesOf([unit]));
  }
  const { span, operator } = expression;
  const why = whyNot(left, right) ?? needless(expression.right, left) ?? needless(expression.left, right);
  return errors.badOperands(span, operator, nounOf(left), nounOf(right), why);
}

/** A quantity next to something that has no unit. */
function needless<Name extends MetricName>(
  written: SyntaxOf<'binary'>['right'],
  other: TypedExpression<Name>,
): string | undefined {
  if (written.kind !== 'quantity' || other.type !== 'number' || namesIn(other).length === 0) return undefined;
  return `${nounOf(other)} is a number without a unit: write \`${written.value}\``;
}

/** Why two constants do not go together. */
function whyNot<Name extends MetricName>(
  left: TypedExpression<Name>,
  right: TypedExpression<Name>,
): string | undefined {
  const [a, b] = [constantOf(left), constantOf(right)];
  if (a === undefined || b === undefined) return undefined;
  if (typeof a.value === 'string' || typeof b.value === 'string')
    return 'strings cannot be concatenated: write the whole string, or make it a parameter of type `String`';
  if (typeof a.value !== 'number' || typeof b.value !== 'number') return undefined;
  const noun = ({ unit }: Constant): string => (unit === undefined ? 'a bare number' : unitNoun(unit));
  return noun(a) === noun(b)
    ? undefined
    : `${constantNoun(a)} is ${noun(a)}, ${constantNoun(b)} is ${noun(b)}`;
}

/** The value of an expression without names. */
export function constantOf<Name extends MetricName>(node: TypedExpression<Name>): Constant | undefined {
  if (namesIn(node).length > 0) return undefined;
  const found = evaluate(node, () => undefined);
  if ('unknown' in found) return undefined;
  return node.op === 'value' ? { ...found, written: node.written } : found;
}

const isZero = <Name extends MetricName>(node: TypedExpression<Name>): boolean =>
  constantOf(node)?.value === 0;

/** A part in a message: a constant by its value, a name with what it measures. */
function nounOf<Name extends MetricName>(node: TypedExpression<Name>): string {
  const found = constantOf(node);
  if (found !== undefined) return constantNoun(found);
  if (node.op !== 'name') return typeNouns(node.type);
  const name = `\`${node.path.join('.')}\``;
  return node.type === 'number' || node.type === 'any' ? name : `${name} (${typeNouns(node.type)})`;
}

const TYPE_NOUNS: Readonly<Record<Exclude<ValueType, Unit>, string>> = {
  number: 'a number',
  boolean: 'a condition',
  text: 'a string',
  none: '`none`',
  any: 'a value',
};

const typeNouns = (type: ValueType): string => {
  const unit = unitOf(type);
  return unit === undefined ? TYPE_NOUNS[type as Exclude<ValueType, Unit>] : unitNoun(unit);
};
