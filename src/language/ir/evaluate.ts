/** The value of an expression, as far as the values of its names are known. */
import { type Comparison, isComparison, sameMeasure, unitOf } from './expression.js';
import type { BinaryExpression, Expression, NameExpression, Quantity, Scalar, Unit } from './program.js';
import { isQuantity } from './values.js';

export interface Measure {
  readonly value: Scalar;
  /** Of a number. */
  readonly unit?: Unit;
}

/** The value of a name; `undefined`: not known yet, and so is whatever needs it. */
export type Reading = Scalar | Quantity | undefined;

/** What keeps an expression from having a value. */
interface MissingValue<Name, Mark> {
  /** The part that has none; NaN and `none` are no numbers. */
  readonly unknown: Expression<Name, Mark>;
  /** Numbers of different measures, which only their values could tell. */
  readonly apart?: readonly [Measure, Measure];
}

type Outcome<Name, Mark> = Measure | MissingValue<Name, Mark>;

/** `seen` hears of every part that was evaluated, after its own parts. */
export function evaluate<N, M>(
  expression: Expression<N, M>,
  read: (name: NameExpression<N, M>) => Reading,
  seen: (part: Expression<N, M>, measure: Measure) => void = () => undefined,
): Outcome<N, M> {
  const found = outcome(expression, read, (part) => evaluate(part, read, seen));
  if ('value' in found) seen(expression, found);
  return found;
}

const ARITHMETIC: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

const COMPARISONS: Readonly<Record<Exclude<Comparison, '==' | '!='>, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function outcome<N, M>(
  expression: Expression<N, M>,
  read: (name: NameExpression<N, M>) => Reading,
  inner: (part: Expression<N, M>) => Outcome<N, M>,
): Outcome<N, M> {
  switch (expression.op) {
    case 'value':
      return measureOf(expression.value, expression);
    case 'name': {
      const reading = read(expression);
      return reading === undefined ? { unknown: expression } : measureOf(reading, expression);
    }
    case 'not': {
      const operand = truth(expression.operand, inner);
      return typeof operand === 'boolean' ? { value: !operand } : operand;
    }
    case 'negate': {
      const operand = number(expression.operand, inner);
      return 'value' in operand ? { ...operand, value: -operand.value } : operand;
    }
    case 'choose': {
      const condition = truth(expression.condition, inner);
      if (typeof condition !== 'boolean') return condition;
      return inner(condition ? expression.whenTrue : expression.whenFalse);
    }
    default:
      return ofTwo(expression, inner);
  }
}

const measureOf = (reading: Exclude<Reading, undefined>, { type }: { readonly type: Expression['type'] }) =>
  isQuantity(reading)
    ? reading
    : { value: reading, unit: typeof reading === 'number' ? unitOf(type) : undefined };

function truth<N, M>(
  part: Expression<N, M>,
  inner: (part: Expression<N, M>) => Outcome<N, M>,
): boolean | MissingValue<N, M> {
  const found = inner(part);
  if ('unknown' in found) return found;
  return typeof found.value === 'boolean' ? found.value : { unknown: part };
}

function number<N, M>(
  part: Expression<N, M>,
  inner: (part: Expression<N, M>) => Outcome<N, M>,
): { readonly value: number; readonly unit?: Unit } | MissingValue<N, M> {
  const found = inner(part);
  if ('unknown' in found) return found;
  return typeof found.value === 'number' ? { value: found.value, unit: found.unit } : { unknown: part };
}

function ofTwo<N, M>(
  expression: BinaryExpression<N, M>,
  inner: (part: Expression<N, M>) => Outcome<N, M>,
): Outcome<N, M> {
  const { op, left, right, type } = expression;
  if (op === 'and' || op === 'or') {
    const decides = op === 'or';
    const first = truth(left, inner);
    if (first === decides) return { value: decides };
    const second = truth(right, inner);
    if (second === decides) return { value: decides };
    return typeof first !== 'boolean' ? first : typeof second !== 'boolean' ? second : { value: !decides };
  }
  if (op === '==' || op === '!=') {
    const a = inner(left);
    if ('unknown' in a) return a;
    const b = inner(right);
    if ('unknown' in b) return b;
    if (Number.isNaN(a.value)) return { unknown: left };
    if (Number.isNaN(b.value)) return { unknown: right };
    return { value: isSame(a, b) === (op === '==') };
  }
  const a = number(left, inner);
  if ('unknown' in a) return a;
  const b = number(right, inner);
  if ('unknown' in b) return b;
  if (!isComparison(op)) {
    const unit = type === 'any' ? (a.unit ?? b.unit) : unitOf(type);
    return { value: ARITHMETIC[op]?.(a.value, b.value) ?? null, unit };
  }
  if (Number.isNaN(a.value)) return { unknown: left };
  if (Number.isNaN(b.value)) return { unknown: right };
  if (a.value !== 0 && b.value !== 0 && !sameMeasure(a.unit, b.unit))
    return { unknown: expression, apart: [a, b] };
  return { value: COMPARISONS[op](a.value, b.value) };
}

const isSame = (a: Measure, b: Measure): boolean =>
  a.value === b.value && (typeof a.value !== 'number' || a.value === 0 || sameMeasure(a.unit, b.unit));
