/** A condition as words, as far as it is known: layout and the way a number was written do not show. */
import { formatQuantity } from '../../language/check/units.js';
import type { Expression, Unit } from '../../language/ir/types.js';
import type { MetricSchema } from '../../language/schemas/schema.js';

type Measure = Unit | 'number' | 'boolean' | undefined;
type Metrics = Readonly<Record<string, MetricSchema>>;

/** How tightly operators bind; the higher, the tighter. */
const BINDS: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '==': 4,
  '!=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
};
const NOT = 3;
const NEGATE = 7;

/** `exact_match - baseline.exact_match >= 20%` */
export function requirementText(condition: Expression, metrics: Metrics): string {
  return text(condition, measureOf(condition, metrics), metrics, 0);
}

function text(expression: Expression, measure: Measure, metrics: Metrics, outer: number): string {
  switch (expression.op) {
    case 'value':
      return valueText(expression.value, measure);
    case 'metric':
      return expression.path.join('.');
    case 'not':
      return bracketed(`not ${text(expression.operand, undefined, metrics, NOT)}`, NOT, outer);
    case 'negate':
      return bracketed(`-${text(expression.operand, measure, metrics, NEGATE)}`, NEGATE, outer);
    default: {
      const { op, left, right } = expression;
      const binds = BINDS[op] ?? 0;
      const inner = innerMeasure(expression, measure, metrics);
      const sides = [text(left, inner, metrics, binds), text(right, inner, metrics, binds + 1)];
      return bracketed(sides.join(` ${op} `), binds, outer);
    }
  }
}

type Binary = Extract<Expression, { readonly left: Expression }>;

/** What the numbers on both sides of an operator measure; factors are plain. */
function innerMeasure(expression: Binary, measure: Measure, metrics: Metrics): Measure {
  const { op } = expression;
  if (op === '+' || op === '-') return measure;
  return op === '*' || op === '/' ? undefined : measureOf(expression, metrics);
}

/** The unit of the first metric in it. */
function measureOf(expression: Expression, metrics: Metrics): Measure {
  switch (expression.op) {
    case 'value':
      return undefined;
    case 'metric':
      return metrics[expression.path.at(-1) ?? '']?.unit;
    case 'not':
    case 'negate':
      return measureOf(expression.operand, metrics);
    default:
      return measureOf(expression.left, metrics) ?? measureOf(expression.right, metrics);
  }
}

function valueText(value: number | boolean | string | null, measure: Measure): string {
  if (value === null) return 'none';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return `${value}`;
  return formatQuantity(value, measure === 'boolean' ? undefined : measure);
}

const bracketed = (inner: string, binds: number, outer: number): string =>
  binds < outer ? `(${inner})` : inner;
