/** What can be said about a requirement before anything is measured: that it never holds, or always does. */
import type { BinaryExpression, Expression as Condition } from '../ir/types.js';
import type { MetricSchema } from '../schemas/schema.js';

type Range = readonly [least: number, most: number];
/** What is known of a value: its range, or whether it is true. */
type Known = { readonly range: Range } | { readonly holds: boolean } | undefined;

/** The metric that a path of a condition refers to. */
export type MetricOf = (path: readonly string[]) => MetricSchema | undefined;

/** Whether a condition holds whatever is measured; `undefined` if that depends. */
export function certainly(condition: Condition, metricOf: MetricOf): boolean | undefined {
  const known = knownOf(condition, metricOf);
  return known !== undefined && 'holds' in known ? known.holds : undefined;
}

function knownOf(expression: Condition, metricOf: MetricOf): Known {
  switch (expression.op) {
    case 'value':
      return typeof expression.value === 'number'
        ? { range: [expression.value, expression.value] }
        : typeof expression.value === 'boolean'
          ? { holds: expression.value }
          : undefined;
    case 'name':
      return rangeOfMetric(metricOf(expression.path));
    case 'negate': {
      const operand = rangeOf(expression.operand, metricOf);
      return operand && { range: [-operand[1], -operand[0]] };
    }
    case 'not': {
      const holds = certainly(expression.operand, metricOf);
      return holds === undefined ? undefined : { holds: !holds };
    }
    case 'and':
    case 'or': {
      const sides = [certainly(expression.left, metricOf), certainly(expression.right, metricOf)];
      const decides = expression.op === 'or';
      if (sides.includes(decides)) return { holds: decides };
      return sides.includes(undefined) ? undefined : { holds: !decides };
    }
    case 'choose':
      return undefined;
    default:
      return ofTwo(expression, metricOf);
  }
}

/** Each side is looked at once: a row of a hundred signs is as many levels deep. */
function ofTwo({ op, left, right }: BinaryExpression, metricOf: MetricOf): Known {
  const compare = COMPARISONS[op];
  const [a, b] = [rangeOf(left, metricOf), rangeOf(right, metricOf)];
  if (compare !== undefined) {
    const isSame = JSON.stringify(left) === JSON.stringify(right);
    const difference = isSame ? ([0, 0] as const) : a && b && subtract(a, b);
    const holds = difference && compare(difference);
    return holds === undefined ? undefined : { holds };
  }
  if (a === undefined || b === undefined) return undefined;
  if (op === '+') return { range: [a[0] + b[0], a[1] + b[1]] };
  if (op === '-') return { range: subtract(a, b) };
  if (op === '*') return { range: product(a, b) };
  return b[0] > 0 ? { range: product(a, [1 / b[1], 1 / b[0]]) } : undefined;
}

/** By operator, what the range of the difference of its sides says. */
const COMPARISONS: Readonly<Record<string, (difference: Range) => boolean | undefined>> = {
  '<': ([least, most]) => (most < 0 ? true : least >= 0 ? false : undefined),
  '<=': ([least, most]) => (most <= 0 ? true : least > 0 ? false : undefined),
  '>': ([least, most]) => (least > 0 ? true : most <= 0 ? false : undefined),
  '>=': ([least, most]) => (least >= 0 ? true : most < 0 ? false : undefined),
  '==': ([least, most]) => (least > 0 || most < 0 ? false : least === most ? true : undefined),
  '!=': ([least, most]) => (least > 0 || most < 0 ? true : least === most ? false : undefined),
};

const rangeOf = (expression: Condition, metricOf: MetricOf): Range | undefined => {
  const known = knownOf(expression, metricOf);
  return known !== undefined && 'range' in known ? known.range : undefined;
};

const subtract = (a: Range, b: Range): Range => [a[0] - b[1], a[1] - b[0]];

/** Nothing times a measurement without a limit is nothing. */
function product(a: Range, b: Range): Range {
  const ends = a.flatMap((x) => b.map((y) => (x === 0 || y === 0 ? 0 : x * y)));
  return [Math.min(...ends), Math.max(...ends)];
}

function rangeOfMetric(metric: MetricSchema | undefined): Known {
  if (metric === undefined || metric.unit === 'boolean') return undefined;
  return { range: [metric.min ?? 0, metric.unit === 'ratio' ? 1 : Number.POSITIVE_INFINITY] };
}
