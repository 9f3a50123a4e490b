/** Requirements whose outcome is certain before anything is measured, and those that contradict each other. */
import * as wiring from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { BinaryExpression, Expression as Condition, Requirement } from '../ir/program.js';
import type { MetricSchema } from '../schemas/schema.js';
import type { Requirement as Written } from '../syntax/ast.js';
import { pathsIn } from '../syntax/references.js';

/** `written`: those of the block itself; one that a preset brings may always hold in one stage and not in another. */
export function checkCertain(
  requires: readonly Requirement[],
  written: readonly Written[],
  metricOf: MetricOf,
): readonly Diagnostic[] {
  const outcomes = requires.flatMap((requirement) => {
    const { condition, span, text } = requirement;
    const holds = certainly(condition, metricOf);
    if (holds === false || limitsOf(requirement, [])[1] !== undefined)
      return [wiring.impossibleRequirement(span, text)];
    const own = writtenAs(requirement, written);
    return holds === true && own !== undefined && !speaksOfParams(own, metricOf)
      ? [wiring.idleRequirement(span, text)]
      : [];
  });
  if (outcomes.length > 0) return outcomes;
  // What a preset requires comes first, so that the block's own line is the one to look at.
  const own = (requirement: Requirement): number => Number(writtenAs(requirement, written) !== undefined);
  return contradictions([...requires].sort((a, b) => own(a) - own(b)));
}

const writtenAs = ({ span }: Requirement, written: readonly Written[]): Written | undefined =>
  written.find((one) => one.span.file === span.file && one.span.start === span.start);

/** A parameter may have another value in the next run, in which the requirement says something. */
const speaksOfParams = ({ condition }: Written, metricOf: MetricOf): boolean =>
  pathsIn(condition).some(
    (path) => path.length === 1 && metricOf(path.map(({ text }) => text)) === undefined,
  );

/** `perplexity < 30`: an end of what one measurement may be. */
interface Limit {
  readonly metric: string;
  readonly op: string;
  readonly value: number;
  readonly by: Requirement;
}

function contradictions(requires: readonly Requirement[]): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  let before: readonly Limit[] = [];
  for (const requirement of requires) {
    const [limits, against] = limitsOf(requirement, before);
    if (against === undefined) before = limits;
    else found.push(wiring.contradiction(requirement.span, requirement.text, against.by.span));
  }
  return found;
}

const MIRRORED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==' };

/** The limits so far with those of a requirement, and the first that it goes against. */
function limitsOf(requirement: Requirement, before: readonly Limit[]): readonly [readonly Limit[], Limit?] {
  const limits = [...before];
  for (const condition of conjuncts(requirement.condition)) {
    const limit = limitOf(condition, requirement);
    if (limit === undefined) continue;
    const against = limits.find((other) => other.metric === limit.metric && !together(other, limit));
    if (against !== undefined) return [limits, against];
    limits.push(limit);
  }
  return [limits];
}

const conjuncts = (condition: Condition): readonly Condition[] =>
  condition.op === 'and' ? [...conjuncts(condition.left), ...conjuncts(condition.right)] : [condition];

function limitOf(condition: Condition, by: Requirement): Limit | undefined {
  if (!('left' in condition) || !Object.hasOwn(MIRRORED, condition.op)) return undefined;
  const { op, left, right } = condition;
  const [metric, value, sign] = left.op === 'name' ? [left, right, op] : [right, left, MIRRORED[op] ?? op];
  if (metric.op !== 'name' || value.op !== 'value' || typeof value.value !== 'number') return undefined;
  return { metric: metric.path.join('.'), op: sign, value: value.value, by };
}

/** Whether some number lies within both. */
function together(a: Limit, b: Limit): boolean {
  const lower = [a, b].filter(({ op }) => op !== '<' && op !== '<=');
  const upper = [a, b].filter(({ op }) => op !== '>' && op !== '>=');
  return lower.every((low) =>
    upper.every(
      (high) =>
        low.value < high.value ||
        (low.value === high.value && !/^[<>]$/.test(low.op) && !/^[<>]$/.test(high.op)),
    ),
  );
}

type Range = readonly [least: number, most: number];
/** What is known of a value: its range, or whether it is true. */
type Bounds = { readonly range: Range } | { readonly holds: boolean } | undefined;

/** The metric that a path of a condition refers to. */
export type MetricOf = (path: readonly string[]) => MetricSchema | undefined;

/** Whether a condition holds whatever is measured; `undefined` if that depends. */
function certainly(condition: Condition, metricOf: MetricOf): boolean | undefined {
  const known = knownOf(condition, metricOf);
  return known !== undefined && 'holds' in known ? known.holds : undefined;
}

function knownOf(expression: Condition, metricOf: MetricOf): Bounds {
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
function ofTwo({ op, left, right }: BinaryExpression, metricOf: MetricOf): Bounds {
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

function rangeOfMetric(metric: MetricSchema | undefined): Bounds {
  if (metric === undefined || metric.unit === 'boolean') return undefined;
  return { range: [metric.min ?? 0, metric.unit === 'ratio' ? 1 : Number.POSITIVE_INFINITY] };
}
