/** What requirements come to: whether they hold, and the comparison that decides it. */
import { evaluate, type Reading } from './evaluate.js';
import { type Comparison, isComparison, namesIn, partsOf, unitOf } from './expression.js';
import { expressionText } from './expression-text.js';
import type { Expression, MetricName, Requirement, Unit } from './program.js';

/** What a `require` came to. */
export interface RequirementResult {
  /** As written. */
  readonly require: string;
  readonly holds: boolean;
  /** The left side of the comparison that decided, and the right one. */
  readonly value: number;
  readonly limit: number;
  readonly operator: Comparison;
  /** What both sides measure; left out for plain numbers. */
  readonly unit?: Unit;
  /** `rouge_l - baseline.rouge_l = 0.013, needs >= 0.02`; in percent where that is: `exact_match = 0%, needs >= 80%` */
  readonly sentence: string;
}

/** The value of a name in a requirement; `undefined` if it is not known. */
export type Lookup = (path: MetricName['path']) => number | boolean | undefined;

/** `undefined` if the requirement reads something that is not known. */
export function resultOf(requirement: Requirement, lookup: Lookup): RequirementResult | undefined {
  if (unknownIn(requirement, lookup) !== undefined) return undefined;
  const read = ({ path }: MetricName): Reading => lookup(path);
  const { holds, left, right, operator, value, limit } = decide(requirement.condition, read);
  const unit = unitOf(left.type) ?? (right && unitOf(right.type));
  const isPercent = unit === 'ratio' && right !== undefined && [left, right].some(saysPercent);
  const isWritten = right?.op === 'value';
  const [found, needed] = isPercent
    ? formatApart(100 * value, 100 * limit, isWritten, '%')
    : formatApart(value, limit, isWritten);
  const sentence = `${expressionText(left, formatNumber)} = ${found}, needs ${operator} ${needed}`;
  return { require: requirement.text, holds, value, limit, operator, unit, sentence };
}

/** `80%` is in it. */
const saysPercent = (expression: Expression): boolean =>
  expression.op === 'value' ? expression.type === 'ratio' : partsOf(expression).some(saysPercent);

/** The first name that is not known. */
export const unknownIn = (
  { condition }: Pick<Requirement, 'condition'>,
  lookup: Lookup,
): MetricName['path'] | undefined => namesIn(condition).find(({ path }) => lookup(path) === undefined)?.path;

/** The comparison that the outcome hangs on. */
interface Decision {
  readonly holds: boolean;
  readonly left: Expression;
  /** Left out where the condition compares nothing. */
  readonly right?: Expression;
  readonly operator: Comparison;
  readonly value: number;
  readonly limit: number;
}

const OPPOSITES: Readonly<Record<Comparison, Comparison>> = {
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  '==': '!=',
  '!=': '==',
};

/** What cannot be measured satisfies nothing, `not` included. */
function decide(condition: Expression, read: (name: MetricName) => Reading, negated = false): Decision {
  if (condition.op === 'not') return decide(condition.operand, read, !negated);
  if (condition.op === 'and' || condition.op === 'or') {
    const left = decide(condition.left, read, negated);
    const right = decide(condition.right, read, negated);
    // De Morgan: under `not`, `and` is decided like `or`.
    const both = (condition.op === 'and') !== negated;
    if (both) return left.holds ? right : left;
    return left.holds || !right.holds ? left : right;
  }
  const found = evaluate(condition, read);
  const holds = 'value' in found && found.value === !negated;
  const number = (part: Expression): number => {
    const side = evaluate(part, read);
    return 'value' in side && side.value !== null && typeof side.value !== 'string'
      ? Number(side.value)
      : Number.NaN;
  };
  if (!isComparison(condition.op) || !('left' in condition))
    return { holds, left: condition, operator: negated ? '==' : '!=', value: number(condition), limit: 0 };
  return {
    holds,
    left: condition.left,
    right: condition.right,
    operator: negated ? OPPOSITES[condition.op] : condition.op,
    value: number(condition.left),
    limit: number(condition.right),
  };
}

/** Digits of a number that somebody wrote, without what a product by 100 adds to them. */
const WRITTEN = 12;

/**
 * Both with as many digits as it takes to tell which is greater, so that nobody reads "0.02, needs >= 0.02".
 * `isWritten`: the second one is a number of the pipeline, and has all of its digits.
 */
function formatApart(a: number, b: number, isWritten: boolean, suffix = ''): readonly [string, string] {
  const both = (digits: number): readonly [string, string] => [
    withDigits(a, digits),
    withDigits(b, isWritten ? Math.max(digits, WRITTEN) : digits),
  ];
  let texts = both(4);
  for (let digits = 5; digits <= 17 && !saysOrder(texts, a - b); digits++) texts = both(digits);
  return [texts[0] + suffix, texts[1] + suffix];
}

/** Whether two texts of numbers differ in the direction of the numbers. Of what is not finite, nothing more is to be said. */
const saysOrder = ([first, second]: readonly [string, string], difference: number): boolean =>
  !Number.isFinite(difference) || Math.sign(Number(first) - Number(second)) === Math.sign(difference);

/** Four significant digits: enough to compare by eye, short enough for a line. */
const formatNumber = (value: number): string => withDigits(value, 4);

function withDigits(value: number, digits: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(digits)));
}
