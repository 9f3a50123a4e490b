/** Whether a condition holds of what is known, and what its parts came to. */
import { isComparison, sameMeasure } from '../../language/check/constants.js';
import { formatQuantity } from '../../language/check/units.js';
import { expectationFailed, notKnown } from '../../language/diagnostics/catalogue/tests.js';
import { badOperands } from '../../language/diagnostics/catalogue/values.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Quantity, Unit } from '../../language/ir/types.js';
import type { Expected, Facts, Kind, Need, Node, Operator, Reading, Scalar } from './types.js';

/** What is wrong; `undefined` where it holds. */
export function failureOf({ condition }: Expected, facts: Facts): Diagnostic | undefined {
  const trace = new Map<string, string>();
  try {
    if (truth(condition, facts, trace)) return undefined;
    const values = [...trace].filter(([text]) => text !== condition.text);
    return expectationFailed(condition.span, condition.text, aligned(values));
  } catch (error) {
    if (error instanceof NotKnown)
      return notKnown(error.node.span, error.node.text, error.why, aligned([...trace]));
    if (error instanceof UserError) return error.diagnostic;
    throw error;
  }
}

interface Known {
  readonly value: Scalar;
  readonly unit?: Unit;
}

class NotKnown extends Error {
  override readonly name = 'NotKnown';
  constructor(
    readonly node: Node,
    readonly why: string,
  ) {
    super(`${node.text} is not known`);
  }
}

/** What was looked at, in order, by its text; `none` where there is none. */
type Trace = Map<string, string>;

function valued(node: Node, facts: Facts, trace: Trace): Known {
  const found = compute(node, facts, trace);
  const text = shown(found);
  // Of values only a parameter's is not seen.
  const says = node.op !== 'value' || (/^[A-Za-z_]/.test(node.text) && node.text !== text);
  if (says) trace.set(node.text, text);
  return found;
}

function compute(node: Node, facts: Facts, trace: Trace): Known {
  switch (node.op) {
    case 'value':
      return known(node.value, node.kind);
    case 'field':
      return known(node.read(facts) ?? null, node.kind);
    case 'not':
      return { value: !truth(node.operand, facts, trace) };
    case 'negate': {
      const { value, unit } = number(node.operand, facts, trace);
      return { value: -value, unit };
    }
    case 'choose':
      return valued(truth(node.condition, facts, trace) ? node.whenTrue : node.whenFalse, facts, trace);
    case 'and':
      return { value: truth(node.left, facts, trace) && truth(node.right, facts, trace) };
    case 'or':
      return { value: truth(node.left, facts, trace) || truth(node.right, facts, trace) };
    case '==':
    case '!=': {
      const [left, right] = [valued(node.left, facts, trace), valued(node.right, facts, trace)];
      return { value: isSame(left, right) === (node.op === '==') };
    }
    default:
      return arithmetic(node, facts, trace);
  }
}

const known = (reading: Exclude<Reading, undefined>, kind: Kind): Known => {
  if (isQuantity(reading)) return reading;
  const unit =
    kind === 'number' || kind === 'boolean' || kind === 'text' || kind === 'any' ? undefined : kind;
  return { value: reading, unit: typeof reading === 'number' ? unit : undefined };
};

const isSame = (a: Known, b: Known): boolean =>
  a.value === b.value && (typeof a.value !== 'number' || a.value === 0 || sameMeasure(a.unit, b.unit));

const isQuantity = (reading: Reading): reading is Quantity => reading !== null && typeof reading === 'object';

function truth(node: Node, facts: Facts, trace: Trace): boolean {
  const { value } = valued(node, facts, trace);
  if (typeof value === 'boolean') return value;
  throw new NotKnown(node, whyNot(node, facts));
}

function number(node: Node, facts: Facts, trace: Trace): { readonly value: number; readonly unit?: Unit } {
  const { value, unit } = valued(node, facts, trace);
  if (typeof value === 'number' && !Number.isNaN(value)) return { value, unit };
  throw new NotKnown(node, whyNot(node, facts));
}

const NUMBERS: Readonly<Partial<Record<Operator, (a: number, b: number) => number | boolean>>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function arithmetic(node: Extract<Node, { op: Operator }>, facts: Facts, trace: Trace): Known {
  const left = number(node.left, facts, trace);
  const right = number(node.right, facts, trace);
  // Only values of settings that take several units can still surprise.
  const isZero = left.value === 0 || right.value === 0;
  if (isComparison(node.op) && !isZero && !sameMeasure(left.unit, right.unit))
    throw new UserError(badOperands(node.span, node.op, `\`${shown(left)}\``, `\`${shown(right)}\``));
  const value = NUMBERS[node.op]?.(left.value, right.value) ?? null;
  const unit =
    node.kind === 'boolean' || node.kind === 'text' || node.kind === 'number' ? undefined : node.kind;
  return { value, unit: unit === 'any' ? (left.unit ?? right.unit) : unit };
}

const BECAUSE: Readonly<Record<Need, (facts: Facts) => string>> = {
  program: ({ compiled }) => (compiled.program === undefined ? ERRORS : 'the pipeline does not set it'),
  plan: ({ plan, compiled }) =>
    compiled.program === undefined
      ? ERRORS
      : plan === undefined
        ? 'there is no plan'
        : 'the plan does not predict it',
  run: ({ run }) => (run === undefined ? 'nothing was run' : 'the run did not reach it'),
};
const ERRORS = 'the pipeline has errors';

const whyNot = (node: Node, facts: Facts): string =>
  node.op === 'field' ? BECAUSE[node.need](facts) : 'a part of it is not known';

function shown({ value, unit }: Known): string {
  if (value === null) return 'none';
  return typeof value === 'number' ? formatQuantity(value, unit) : `${value}`;
}

function aligned(values: readonly (readonly [text: string, value: string])[]): readonly string[] {
  const width = Math.max(0, ...values.map(([text]) => text.length));
  return values.map(([text, value]) => `${text.padEnd(width)} = ${value}`);
}
