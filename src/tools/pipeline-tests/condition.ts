/** An expectation's expression → a condition whose names and types are known: before anything is planned or run. */
import { constant } from '../../language/check/constants.js';
import type { Context } from '../../language/check/context.js';
import {
  checkExpression,
  type ExpressionNames,
  type SyntaxOf,
  valueNode,
} from '../../language/check/expressions.js';
import { expressionNoun } from '../../language/check/nouns.js';
import { isValue } from '../../language/check/scope.js';
import * as tests from '../../language/diagnostics/catalogue/tests.js';
import * as errors from '../../language/diagnostics/catalogue/values.js';
import type { Expression } from '../../language/syntax/ast.js';
import { ROOTS } from './fields.js';
import { isRoot, nameOf, type Subject } from './names.js';
import type { Condition, Facts, TestName } from './types.js';

/** What an expectation may refer to. */
interface Scope {
  readonly subject: Subject;
  /** Names of the file of tests: its parameters. */
  readonly context: Context;
  /** Codes of diagnostics that there are. */
  readonly codes: readonly string[];
}

/** `undefined` if something is wrong with it, which has been reported. */
export function conditionOf(expression: Expression, scope: Scope): Condition | undefined {
  const { context } = scope;
  const names: ExpressionNames<TestName> = {
    reference: (part) => reference(part, scope),
    call: (part) => reported(part, scope),
    sides: (part, check) => sides(part, check, scope),
    none: 'any',
  };
  const condition = checkExpression(expression, names, context);
  if (condition === undefined || condition.type === 'boolean' || condition.type === 'any') return condition;
  return context.report(
    errors.typeMismatch(expression.span, 'a condition', expressionNoun(expression), {
      help: 'compare it with something: `expect plan.peak_memory < 24GiB`',
    }),
  );
}

function reference(expression: SyntaxOf<'reference'>, { context, subject }: Scope): Condition | undefined {
  const [first] = expression.path;
  if (first === undefined) return undefined;
  if (isRoot(first.text)) {
    const found = nameOf(expression.path, subject, (problem) => context.report(problem));
    return (
      found && { op: 'name', path: expression.path.map(({ text }) => text), span: expression.span, ...found }
    );
  }
  if (context.scope.own.has(first.text)) {
    const found = constant(expression, context);
    return found && valueNode({ ...found, written: undefined }, expression, 'any', context);
  }
  const known = [...ROOTS, ...context.scope.declared('param')];
  return context.report(tests.unknownTestName(first.span, first.text, 'an expectation', known));
}

/** `plan.reports("FTP0601")` */
function reported(expression: SyntaxOf<'call'>, { context, codes, subject }: Scope): Condition | undefined {
  const { callee, args } = expression;
  const [root = '', method, ...more] = callee.text.split('.');
  if (!isRoot(root) || method !== 'reports' || more.length > 0) {
    const known = ROOTS.map((need) => `${need}.reports`);
    return context.report(tests.unknownTestName(callee.span, callee.text, 'an expectation', known));
  }
  const [arg] = args;
  const code =
    args.length === 1 && arg?.name === undefined && arg?.value.kind === 'string' ? arg.value : undefined;
  if (code === undefined || !/^FTP\d{4}$/.test(code.value))
    return context.report(tests.badReport((arg?.value ?? expression).span, callee.text));
  if (!codes.includes(code.value))
    return context.report(tests.unknownTestName(code.span, code.value, 'the catalogue', codes));
  if (root === 'run' && !subject.runs)
    return context.report(tests.needsRun(callee.span, callee.text, subject.insertAt));
  const read = ({ diagnostics }: Facts): boolean => diagnostics.some((found) => found.code === code.value);
  return { op: 'name', path: [root, method], need: root, read, type: 'boolean', span: expression.span };
}

type Check = (expression: Expression) => Condition | undefined;

/** A word next to something that has words is one of them: `chosen.method == qlora`. */
function sides(
  { left, right }: SyntaxOf<'binary'>,
  check: Check,
  scope: Scope,
): readonly (Condition | undefined)[] {
  if (isWord(right, scope)) return withWord(left, right, check, scope);
  if (!isWord(left, scope)) return [check(left), check(right)];
  const [other, word] = withWord(right, left, check, scope);
  return [word, other];
}

function isWord(expression: Expression, { context }: Scope): expression is SyntaxOf<'reference'> {
  if (expression.kind !== 'reference' || expression.path.length > 1) return false;
  return !isValue(context.scope.own.get(expression.path[0]?.text ?? ''));
}

function withWord(
  other: Expression,
  word: SyntaxOf<'reference'>,
  check: Check,
  scope: Scope,
): readonly [Condition | undefined, Condition | undefined] {
  const node = check(other);
  if (node === undefined) return [undefined, undefined];
  const words = node.op === 'name' ? node.words : undefined;
  const text = word.path[0]?.text ?? '';
  if (node.type !== 'any' && words === undefined) return [node, reference(word, scope)];
  if (words !== undefined && !words.includes(text))
    return [node, scope.context.report(errors.unknownChoice(word.span, text, words))];
  return [node, { op: 'value', value: text, type: 'text', span: word.span }];
}
