import type { Expression, Requirement } from '../../language/ir/types.js';

export type Comparison = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** What a `require` came to. */
export interface Finding {
  /** As written. */
  readonly require: string;
  readonly holds: boolean;
  /** The left side of the comparison that decided, and the right one. */
  readonly value: number;
  readonly limit: number;
  readonly operator: Comparison;
  /** `rouge_l - baseline.rouge_l = 0.013, needs >= 0.02` */
  readonly sentence: string;
}

/** The value of a name in a requirement; `undefined` where it is not known. */
export type Lookup = (path: readonly string[]) => number | boolean | undefined;

/** A name that nothing measured. */
export class UnknownMetric extends Error {
  override readonly name = 'UnknownMetric';
  constructor(readonly path: readonly string[]) {
    super(`nothing is known of ${path.join('.')}`);
  }
}

/** Evaluates a requirement. Throws an {@link UnknownMetric} for a name that `lookup` doesn't know. */
export function evaluateRequirement(requirement: Requirement, lookup: Lookup): Finding {
  const { holds, decided } = decide(requirement.condition, lookup);
  const { left, operator, value, limit } = decided;
  const [found, wanted] = formatApart(value, limit);
  const sentence = `${left} = ${found}, needs ${operator} ${wanted}`;
  return { require: requirement.text, holds, value, limit, operator, sentence };
}

interface Decided {
  readonly left: string;
  readonly operator: Comparison;
  readonly value: number;
  readonly limit: number;
}

interface Decision {
  readonly holds: boolean;
  /** The comparison that the outcome hangs on. */
  readonly decided: Decided;
}

const COMPARISONS: Readonly<
  Record<Comparison, { holds: (a: number, b: number) => boolean; opposite: Comparison }>
> = {
  '<': { holds: (a, b) => a < b, opposite: '>=' },
  '<=': { holds: (a, b) => a <= b, opposite: '>' },
  '>': { holds: (a, b) => a > b, opposite: '<=' },
  '>=': { holds: (a, b) => a >= b, opposite: '<' },
  '==': { holds: (a, b) => a === b, opposite: '!=' },
  '!=': { holds: (a, b) => a !== b, opposite: '==' },
};

const ARITHMETIC: Readonly<Record<'+' | '-' | '*' | '/', (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

/** Where NaN is met every comparison fails, `not` included: what can't be measured satisfies nothing. */
function decide(expression: Expression, lookup: Lookup, negated = false): Decision {
  if (expression.op === 'not') return decide(expression.operand, lookup, !negated);
  if (expression.op === 'and' || expression.op === 'or') {
    const left = decide(expression.left, lookup, negated);
    const right = decide(expression.right, lookup, negated);
    // De Morgan: under `not`, `and` is decided like `or`.
    const both = (expression.op === 'and') !== negated;
    if (both) return left.holds ? right : left;
    return left.holds || !right.holds ? left : right;
  }
  if (isComparison(expression.op) && 'left' in expression) {
    const operator = negated ? COMPARISONS[expression.op].opposite : expression.op;
    const value = numberOf(expression.left, lookup);
    const limit = numberOf(expression.right, lookup);
    const known = !Number.isNaN(value) && !Number.isNaN(limit);
    return {
      holds: known && COMPARISONS[operator].holds(value, limit),
      decided: { left: describe(expression.left), operator, value, limit },
    };
  }
  // A bare truth value, e.g. a gate.
  const value = numberOf(expression, lookup);
  const operator = negated ? '==' : '!=';
  return {
    holds: !Number.isNaN(value) && COMPARISONS[operator].holds(value, 0),
    decided: { left: describe(expression), operator, value, limit: 0 },
  };
}

function isComparison(op: Expression['op']): op is Comparison {
  return Object.hasOwn(COMPARISONS, op);
}

/** Truth values count as 1 and 0; a string or `none` is no number and makes any comparison fail. */
function numberOf(expression: Expression, lookup: Lookup): number {
  switch (expression.op) {
    case 'value':
      return typeof expression.value === 'string' || expression.value === null
        ? Number.NaN
        : Number(expression.value);
    case 'metric': {
      const found = lookup(expression.path);
      if (found === undefined) throw new UnknownMetric(expression.path);
      return Number(found);
    }
    case 'negate':
      return -numberOf(expression.operand, lookup);
    case '+':
    case '-':
    case '*':
    case '/':
      return ARITHMETIC[expression.op](numberOf(expression.left, lookup), numberOf(expression.right, lookup));
    default:
      return decide(expression, lookup).holds ? 1 : 0;
  }
}

const STRENGTH: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  '==': 3,
  '!=': 3,
  '<': 3,
  '<=': 3,
  '>': 3,
  '>=': 3,
  '+': 4,
  '-': 4,
  '*': 5,
  '/': 5,
};

/** The expression as one would write it, with the brackets that it needs. */
export function describe(expression: Expression): string {
  switch (expression.op) {
    case 'value':
      return typeof expression.value === 'number'
        ? formatNumber(expression.value)
        : JSON.stringify(expression.value);
    case 'metric':
      return expression.path.join('.');
    case 'not':
    case 'negate':
      return `${expression.op === 'not' ? 'not ' : '-'}${wrap(expression.operand, 6)}`;
    default: {
      const strength = STRENGTH[expression.op] ?? 0;
      return `${wrap(expression.left, strength)} ${expression.op} ${wrap(expression.right, strength + 1)}`;
    }
  }
}

function wrap(expression: Expression, least: number): string {
  const text = describe(expression);
  return (STRENGTH[expression.op] ?? 9) < least ? `(${text})` : text;
}

/** The names that an expression reads. */
export function metricPaths(expression: Expression): readonly (readonly string[])[] {
  if (expression.op === 'metric') return [expression.path];
  if (expression.op === 'value') return [];
  if ('operand' in expression) return metricPaths(expression.operand);
  return [...metricPaths(expression.left), ...metricPaths(expression.right)];
}

/** Both with as many digits as it takes to tell them apart, so that nobody reads "0.02, needs >= 0.02". */
function formatApart(a: number, b: number): readonly [string, string] {
  for (let digits = 4; digits < 17; digits++) {
    const [first, second] = [formatNumber(a, digits), formatNumber(b, digits)];
    if (first !== second || a === b) return [first, second];
  }
  return [String(a), String(b)];
}

/** Four significant digits: enough to compare by eye, short enough for a line. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(digits)));
}
