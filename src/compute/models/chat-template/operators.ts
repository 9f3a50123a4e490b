/** Operators of a template that Python and the library's JavaScript understand otherwise. */
import type { Budget } from './budget.js';
import type { JinjaValue } from './jinja.js';
import {
  equal,
  floatText,
  isList,
  itemsOf,
  type JinjaResult,
  numberOf,
  textOf,
  typeName,
  wholeNumber,
} from './jinja-values.js';

/** What two values come to; `undefined` leaves them to the library. Throws where Python does. */
type Operator = (left: JinjaValue, right: JinjaValue, budget: Budget) => JinjaResult | undefined;

/** A text that is repeated is not made longer than this. */
const LONGEST_REPETITION = 1_000_000;

const isText = ({ type }: JinjaValue): boolean => type === 'StringValue';
const isFloat = ({ type }: JinjaValue): boolean => type === 'FloatValue';

const refused = (operator: string, left: JinjaValue, right: JinjaValue): Error =>
  new Error(`unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`);

/** Of two numbers. */
const ofNumbers =
  (compute: (a: number, b: number, left: JinjaValue, right: JinjaValue) => JinjaResult): Operator =>
  (left, right) => {
    const [a, b] = [numberOf(left), numberOf(right)];
    return a === undefined || b === undefined ? undefined : compute(a, b, left, right);
  };

/** Of whole numbers a whole number, as far as JavaScript holds it. */
const arithmetic = (compute: (a: number, b: number) => number): Operator =>
  ofNumbers((a, b, left, right) => {
    const result = compute(a, b);
    return isFloat(left) || isFloat(right) ? { float: result } : wholeNumber(result);
  });

/** The remainder has the sign of the divisor. */
function modulo(a: number, b: number): number {
  if (b === 0) throw new Error('division by zero');
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

const floorDivision = (a: number, b: number): number => Math.round((a - modulo(a, b)) / b);

const power = ofNumbers((a, b, left, right) => {
  if (a === 0 && b < 0) throw new Error('0.0 cannot be raised to a negative power');
  const result = a ** b;
  if (!Number.isFinite(result)) throw new Error(`${floatText(a)} ** ${floatText(b)} is out of range`);
  return isFloat(left) || isFloat(right) || b < 0 ? { float: result } : wholeNumber(result);
});

const divide = ofNumbers((a, b) => {
  if (b === 0) throw new Error('division by zero');
  return { float: a / b };
});

const times = arithmetic((a, b) => a * b);

const multiply: Operator = (left, right, budget) => {
  const text = isText(left) ? left : right;
  const count = numberOf(text === left ? right : left);
  if (!isText(text) || count === undefined || !Number.isInteger(count)) return times(left, right, budget);
  const unit = String(text.value);
  if (unit.length * count > LONGEST_REPETITION) throw new Error('it repeats a text too often');
  return unit.repeat(Math.max(0, count));
};

const plus = arithmetic((a, b) => a + b);

/** JavaScript would write a number after a text. */
const add: Operator = (left, right, budget) => {
  if (isText(left) !== isText(right)) throw refused('+', left, right);
  return plus(left, right, budget);
};

/** Texts are ordered by their characters, of which JavaScript sees some as two. */
function ordered(left: JinjaValue, right: JinjaValue): number | undefined {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined) return a - b;
  if (!isText(left) || !isText(right)) return undefined;
  const [x, y] = [[...String(left.value)], [...String(right.value)]];
  const at = x.findIndex((character, i) => character !== y[i]);
  if (at < 0) return x.length - y.length;
  return (x[at]?.codePointAt(0) ?? 0) - (y[at]?.codePointAt(0) ?? -1);
}

const comparison =
  (holds: (difference: number) => boolean): Operator =>
  (left, right) => {
    const difference = ordered(left, right);
    return difference === undefined ? undefined : holds(difference);
  };

const isIn: Operator = (left, right, budget) => {
  if (isText(left) && isText(right)) budget.search(String(right.value), String(left.value));
  return isList(right) ? itemsOf(right).some((item) => equal(left, item, budget)) : undefined;
};

/** By their sign in the template. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['+', add],
  ['-', arithmetic((a, b) => a - b)],
  ['*', multiply],
  ['/', divide],
  ['//', arithmetic(floorDivision)],
  ['%', arithmetic(modulo)],
  ['**', power],
  ['~', (left, right, budget) => textOf(left, budget) + textOf(right, budget)],
  ['==', equal],
  ['!=', (left, right, budget) => !equal(left, right, budget)],
  ['<', comparison((difference) => difference < 0)],
  ['<=', comparison((difference) => difference <= 0)],
  ['>', comparison((difference) => difference > 0)],
  ['>=', comparison((difference) => difference >= 0)],
  ['in', isIn],
  [
    'not in',
    (left, right, budget) => {
      const held = isIn(left, right, budget);
      return held === undefined ? undefined : !held;
    },
  ],
]);
