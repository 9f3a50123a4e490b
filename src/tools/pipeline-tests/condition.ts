/** An expectation's expression → a condition whose names and types are known: before anything is planned or run. */
import {
  constant,
  isChained,
  isComparison,
  resultUnit,
  sameMeasure,
} from '../../language/check/constants.js';
import type { Context } from '../../language/check/context.js';
import { expressionNoun } from '../../language/check/describe.js';
import { isValue } from '../../language/check/symbols.js';
import { needsUnit, unitNoun } from '../../language/check/units.js';
import * as tests from '../../language/diagnostics/catalogue/tests.js';
import * as errors from '../../language/diagnostics/catalogue/values.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Unit } from '../../language/ir/types.js';
import { type SourceText, spanText } from '../../language/source/text.js';
import type { Expression } from '../../language/syntax/ast.js';
import { ROOTS } from './fields.js';
import { isRoot, nameOf, type Subject } from './names.js';
import type { Facts, Kind, Node, Operator, Scalar } from './types.js';

export interface Asked {
  readonly subject: Subject;
  /** Names of the file of tests: its parameters. */
  readonly context: Context;
  readonly source: SourceText;
  /** Codes of diagnostics that there are. */
  readonly codes: readonly string[];
}

/** `undefined` where something is wrong with it, which has been reported. */
export function conditionOf(expression: Expression, asked: Asked): Node | undefined {
  const node = new Builder(asked).node(expression);
  if (node === undefined || node.kind === 'boolean' || node.kind === 'any') return node;
  return asked.context.report(
    errors.typeMismatch(expression.span, 'a condition', expressionNoun(expression), {
      help: 'compare it with something: `expect plan.peak_memory < 24GiB`',
    }),
  );
}

type Of<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

class Builder {
  constructor(private readonly asked: Asked) {}

  node(expression: Expression): Node | undefined {
    switch (expression.kind) {
      case 'reference':
        return this.reference(expression);
      case 'call':
        return this.call(expression);
      case 'unary':
        return this.unary(expression);
      case 'binary':
        return this.binary(expression);
      case 'conditional':
        return this.conditional(expression);
      default:
        return this.constant(expression);
    }
  }

  private report = (found: Diagnostic): undefined => this.asked.context.report(found);

  private place(expression: Expression) {
    const { span } = expression;
    return { span, text: spanText(this.asked.source, span).replace(/\s+/g, ' ') };
  }

  private constant(expression: Expression): Node | undefined {
    const found = constant(expression, this.asked.context);
    if (found === undefined) return undefined;
    const { value, unit } = found;
    if (value !== null && typeof value === 'object')
      return this.report(errors.typeMismatch(expression.span, 'a simple value', expressionNoun(expression)));
    return { ...this.place(expression), op: 'value', value, kind: kindOf(value, unit) };
  }

  private reference(expression: Of<'reference'>): Node | undefined {
    const [first] = expression.path;
    if (first === undefined) return undefined;
    const { context, subject } = this.asked;
    if (isRoot(first.text)) {
      const named = nameOf(expression.path, subject, this.report);
      return named && { ...this.place(expression), op: 'field', ...named };
    }
    if (context.scope.own.has(first.text)) return this.constant(expression);
    return this.report(
      tests.unknownTestName(first.span, first.text, 'an expectation', [
        ...ROOTS,
        ...context.scope.declared('param'),
      ]),
    );
  }

  /** `plan.reports("FTP0601")` */
  private call(expression: Of<'call'>): Node | undefined {
    const { callee, args } = expression;
    const [root = '', method, ...more] = callee.text.split('.');
    if (!isRoot(root) || method !== 'reports' || more.length > 0)
      return this.report(
        tests.unknownTestName(
          callee.span,
          callee.text,
          'an expectation',
          ROOTS.map((need) => `${need}.reports`),
        ),
      );
    const [arg] = args;
    const code =
      args.length === 1 && arg?.name === undefined && arg?.value.kind === 'string' ? arg.value : undefined;
    if (code === undefined || !/^FTP\d{4}$/.test(code.value))
      return this.report(tests.badReport((arg?.value ?? expression).span, callee.text));
    if (!this.asked.codes.includes(code.value))
      return this.report(tests.unknownTestName(code.span, code.value, 'the catalogue', this.asked.codes));
    if (root === 'run' && !this.asked.subject.runs)
      return this.report(tests.needsRun(callee.span, callee.text, this.asked.subject.insertAt));
    const read = ({ diagnostics }: Facts): boolean => diagnostics.some((found) => found.code === code.value);
    return { ...this.place(expression), op: 'field', kind: 'boolean', need: root, read };
  }

  private unary(expression: Of<'unary'>): Node | undefined {
    const operand = this.node(expression.operand);
    if (operand === undefined) return undefined;
    const isNot = expression.operator === 'not';
    if (isNot ? isTruth(operand) : isNumeric(operand))
      return { ...this.place(expression), op: isNot ? 'not' : 'negate', operand, kind: operand.kind };
    return this.report(errors.badOperand(expression.span, expression.operator, noun(operand)));
  }

  private conditional(expression: Of<'conditional'>): Node | undefined {
    const condition = this.node(expression.condition);
    const [whenTrue, whenFalse] = [this.node(expression.whenTrue), this.node(expression.whenFalse)];
    if (condition === undefined || whenTrue === undefined || whenFalse === undefined) return undefined;
    if (!isTruth(condition))
      return this.report(errors.typeMismatch(condition.span, '`true` or `false`', noun(condition)));
    return {
      ...this.place(expression),
      op: 'choose',
      condition,
      whenTrue,
      whenFalse,
      kind: joint(whenTrue, whenFalse),
    };
  }

  private binary(expression: Of<'binary'>): Node | undefined {
    const { operator } = expression;
    if (isComparison(operator) && isChained(expression))
      return this.report(errors.chainedComparison(expression.span));
    const isEquality = operator === '==' || operator === '!=';
    const [left, right] = isEquality
      ? this.sides(expression)
      : [this.node(expression.left), this.node(expression.right)];
    if (left === undefined || right === undefined) return undefined;
    const kind = kindOfOperation(operator, left, right);
    if (kind === undefined) return this.refuse(expression, left, right);
    return { ...this.place(expression), op: operator, left, right, kind };
  }

  /** A word beside something that has words is one of them: `chosen.method == qlora`. */
  private sides({ left, right }: Of<'binary'>): readonly [Node | undefined, Node | undefined] {
    if (this.isWord(right)) return this.withWord(left, right);
    if (!this.isWord(left)) return [this.node(left), this.node(right)];
    const [other, word] = this.withWord(right, left);
    return [word, other];
  }

  private isWord(expression: Expression): expression is Of<'reference'> {
    if (expression.kind !== 'reference' || expression.path.length > 1) return false;
    const name = expression.path[0]?.text ?? '';
    return !isValue(this.asked.context.scope.own.get(name));
  }

  private withWord(beside: Expression, word: Of<'reference'>): readonly [Node | undefined, Node | undefined] {
    const node = this.node(beside);
    const words = node?.op === 'field' ? node.words : undefined;
    const text = word.path[0]?.text ?? '';
    if (node === undefined) return [undefined, undefined];
    if (node.kind !== 'any' && words === undefined) return [node, this.reference(word)];
    if (words !== undefined && !words.includes(text))
      return [node, this.report(errors.unknownChoice(word.span, text, words))];
    return [node, { ...this.place(word), op: 'value', value: text, kind: 'text' }];
  }

  private refuse(expression: Of<'binary'>, left: Node, right: Node): undefined {
    for (const [bare, other] of [
      [left, right],
      [right, left],
    ] as const) {
      const unit = unitOf(other);
      if (
        bare.op === 'value' &&
        bare.kind === 'number' &&
        typeof bare.value === 'number' &&
        typeof unit === 'string'
      )
        return this.report(needsUnit(bare.value, [unit], bare.span));
    }
    return this.report(errors.badOperands(expression.span, expression.operator, noun(left), noun(right)));
  }
}

const kindOf = (value: Scalar, unit: Unit | undefined): Kind =>
  typeof value === 'number'
    ? (unit ?? 'number')
    : typeof value === 'boolean'
      ? 'boolean'
      : value === null
        ? 'any'
        : 'text';

/** Nothing is nothing in every unit. */
const isAny = (node: Node): boolean => node.kind === 'any' || (node.op === 'value' && node.value === 0);

const isTruth = ({ kind }: Node): boolean => kind === 'boolean' || kind === 'any';
const isNumeric = ({ kind }: Node): boolean => kind !== 'boolean' && kind !== 'text';

/** `undefined` for a plain number, `false` for what is no number. */
const unitOf = ({ kind }: Node): Unit | undefined | false =>
  kind === 'number' || kind === 'any' ? undefined : kind === 'boolean' || kind === 'text' ? false : kind;

const joint = (a: Node, b: Node): Kind => (a.kind === b.kind ? a.kind : 'any');

/** `undefined` where the operands do not go together. */
function kindOfOperation(operator: Operator, left: Node, right: Node): Kind | undefined {
  const isOpen = isAny(left) || isAny(right);
  if (operator === 'and' || operator === 'or') return isTruth(left) && isTruth(right) ? 'boolean' : undefined;
  const [a, b] = [unitOf(left), unitOf(right)];
  if (operator === '==' || operator === '!=')
    return isOpen || (a === false || b === false ? left.kind === right.kind : sameMeasure(a, b))
      ? 'boolean'
      : undefined;
  if (a === false || b === false) return undefined;
  if (isComparison(operator)) return isOpen || sameMeasure(a, b) ? 'boolean' : undefined;
  const unit = isOpen ? undefined : resultUnit(operator, a, b);
  return unit === 'bad' ? undefined : isOpen ? 'any' : (unit ?? 'number');
}

function noun({ op, text, kind }: Node): string {
  const measure =
    kind === 'number' || kind === 'any'
      ? ''
      : kind === 'boolean'
        ? 'a condition'
        : kind === 'text'
          ? 'a text'
          : unitNoun(kind);
  return op === 'value' || measure === '' ? `\`${text}\`` : `\`${text}\` (${measure})`;
}
