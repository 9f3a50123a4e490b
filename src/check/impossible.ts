/** Requirements that no measurement can meet: a share lies from 0 to 1, a size or a time is never negative. */
import type { Expression as Condition } from '../ir/types.js';
import type { StageSchema } from '../stages/schema.js';

type Range = readonly [least: number, most: number];
type Metrics = StageSchema['metrics'];

export function neverHolds(condition: Condition, metrics: Metrics): boolean {
  if (!('left' in condition)) return false;
  const { op, left, right } = condition;
  if (op === 'and') return neverHolds(left, metrics) || neverHolds(right, metrics);
  if (op === 'or') return neverHolds(left, metrics) && neverHolds(right, metrics);
  const [a, b] = [rangeOf(left, metrics), rangeOf(right, metrics)];
  if (a === undefined || b === undefined) return false;
  if (op === '<') return a[0] >= b[1];
  if (op === '<=') return a[0] > b[1];
  if (op === '>') return a[1] <= b[0];
  return op === '>=' && a[1] < b[0];
}

/** `undefined` where nothing is known of it. */
function rangeOf(expression: Condition, metrics: Metrics): Range | undefined {
  if (expression.op === 'value')
    return typeof expression.value === 'number' ? [expression.value, expression.value] : undefined;
  if (expression.op === 'metric') return rangeOfMetric(expression.path, metrics);
  if (expression.op === 'negate') {
    const range = rangeOf(expression.operand, metrics);
    return range && [-range[1], -range[0]];
  }
  if (!('left' in expression) || (expression.op !== '+' && expression.op !== '-')) return undefined;
  const [a, b] = [rangeOf(expression.left, metrics), rangeOf(expression.right, metrics)];
  if (a === undefined || b === undefined) return undefined;
  return expression.op === '+' ? [a[0] + b[0], a[1] + b[1]] : [a[0] - b[1], a[1] - b[0]];
}

/** What has no unit may be negative. */
function rangeOfMetric(path: readonly string[], metrics: Metrics): Range | undefined {
  const [first = '', second] = path;
  const name = second === undefined ? first : first === 'baseline' ? second : '';
  const unit = Object.hasOwn(metrics, name) ? metrics[name]?.unit : undefined;
  if (unit === undefined || unit === 'number' || unit === 'boolean') return undefined;
  return [0, unit === 'ratio' ? 1 : Number.POSITIVE_INFINITY];
}
