/** `require`: conditions over what is measured, typed and folded as far as they are known. */
import * as names from '../diagnostics/catalogue/names.js';
import * as errors from '../diagnostics/catalogue/values.js';
import { baselineMissing } from '../diagnostics/catalogue/wiring.js';
import type { Requirement as Checked, Expression as Condition, Unit } from '../ir/types.js';
import type { Span } from '../source/span.js';
import { type SourceText, spanText } from '../source/text.js';
import type { Expression, Requirement } from '../syntax/ast.js';
import { constant, isChained, isComparison, resultUnit, sameMeasure, truth } from './constants.js';
import type { Context } from './context.js';
import { constantNoun, expressionNoun } from './describe.js';
import type { Measured, Typed } from './measured.js';
import { metricOfStage } from './stage-metrics.js';
import { isValue } from './symbols.js';
import { formatQuantity, needsUnit, suffixesOf, unitNoun } from './units.js';
import { unmeasured } from './unmeasured.js';

export function checkRequirement(
  { condition, span }: Requirement,
  measured: Measured,
  source: SourceText,
  context: Context,
): Checked | undefined {
  const before = context.errors;
  const found = typed(condition, measured, context);
  if (found === undefined || context.errors > before) return undefined;
  if (found.type !== 'boolean')
    return context.report(
      errors.typeMismatch(condition.span, 'a condition', expressionNoun(condition), {
        help: 'compare it with something: `require rows >= 500`',
      }),
    );
  return { text: spanText(source, condition.span).replace(/\s+/g, ' '), condition: found.condition, span };
}

function typed(expression: Expression, measured: Measured, context: Context): Typed | undefined {
  switch (expression.kind) {
    case 'reference':
      return reference(expression, measured, context);
    case 'unary': {
      const operand = typed(expression.operand, measured, context);
      if (operand === undefined) return undefined;
      const isNot = expression.operator === 'not';
      if (isNot === (operand.type === 'boolean') && operand.type !== 'text' && operand.type !== 'none')
        return { type: operand.type, condition: fold(isNot ? 'not' : 'negate', operand.condition) };
      return context.report(errors.badOperand(expression.span, expression.operator, noun(operand)));
    }
    case 'binary':
      return binary(expression, measured, context);
    case 'conditional': {
      const condition = truth(expression.condition, context);
      const then = typed(expression.whenTrue, measured, context);
      const otherwise = typed(expression.whenFalse, measured, context);
      return condition === undefined ? undefined : condition ? then : otherwise;
    }
    default: {
      const found = constant(expression, context);
      return found === undefined ? undefined : known(found);
    }
  }
}

function known(found: NonNullable<ReturnType<typeof constant>>): Typed | undefined {
  const { value, unit } = found;
  if (typeof value === 'number') return { type: unit ?? 'number', condition: { op: 'value', value } };
  if (typeof value === 'boolean') return { type: 'boolean', condition: { op: 'value', value } };
  if (typeof value === 'string') return { type: 'text', condition: { op: 'value', value } };
  return value === null ? { type: 'none', condition: { op: 'value', value } } : undefined;
}

function reference(
  expression: Extract<Expression, { kind: 'reference' }>,
  measured: Measured,
  context: Context,
): Typed | undefined {
  const [first, second, third] = expression.path;
  if (first === undefined) return undefined;
  if (second === undefined && Object.hasOwn(measured.metrics, first.text))
    return metric([first.text], first.text, first.span, measured, context);
  if (first.text === 'baseline' && second !== undefined && measured.baseline !== undefined) {
    const word = third ?? second;
    if (third !== undefined || !Object.hasOwn(measured.metrics, second.text))
      return context.report(names.unknownMetric(word.span, word.text, 'the baseline', metricsOf(measured)));
    if (!measured.baseline.isSet)
      return context.report(baselineMissing(expression.span, measured.where, measured.baseline.insertAt));
    return metric(['baseline', second.text], second.text, second.span, measured, context);
  }
  const symbol = context.scope.lookup(first.text);
  if (first.text === measured.own && second !== undefined && third === undefined)
    return Object.hasOwn(measured.metrics, second.text)
      ? metric([second.text], second.text, second.span, measured, context)
      : context.report(names.unknownMetric(second.span, second.text, measured.where, metricsOf(measured)));
  if (symbol === undefined && second !== undefined && first.text !== 'baseline')
    return context.report(
      names.unknownName(first.span, first.text, context.scope.declared('stage', 'param', 'matrix')),
    );
  if (symbol?.kind === 'stage' && second !== undefined)
    return metricOfStage(expression, symbol, measured, context);
  if (isValue(symbol) || symbol?.kind === 'secret') {
    const found = constant(expression, context);
    if (found === undefined) return undefined;
    return (
      known(found) ?? context.report(errors.typeMismatch(expression.span, 'a number', constantNoun(found)))
    );
  }
  const text = expression.path.map((word) => word.text).join('.');
  return context.report(names.unknownMetric(expression.span, text, measured.where, metricsOf(measured)));
}

const metricsOf = ({ listed, metrics }: Measured): readonly string[] =>
  listed === undefined ? Object.keys(metrics) : [...new Set([...listed.names, ...Object.keys(metrics)])];

function metric(
  path: readonly string[],
  name: string,
  span: Span,
  measured: Measured,
  context: Context,
): Typed | undefined {
  const unit = measured.metrics[name]?.unit ?? 'number';
  if (measured.listed !== undefined && !measured.listed.names.has(name))
    return context.report(
      unmeasured({ text: name, span }, { block: measured.block, end: measured.listed.end }, context),
    );
  return { type: unit, condition: { op: 'metric', path } };
}

function binary(
  expression: Extract<Expression, { kind: 'binary' }>,
  measured: Measured,
  context: Context,
): Typed | undefined {
  const { operator } = expression;
  if (isComparison(operator) && isChained(expression))
    return context.report(errors.chainedComparison(expression.span));
  const left = typed(expression.left, measured, context);
  const right = typed(expression.right, measured, context);
  if (left === undefined || right === undefined) return undefined;
  const bad = () => context.report(errors.badOperands(expression.span, operator, noun(left), noun(right)));
  const condition = { op: operator, left: left.condition, right: right.condition } as const;
  if (operator === 'and' || operator === 'or')
    return left.type === 'boolean' && right.type === 'boolean' ? { type: 'boolean', condition } : bad();
  const units = [unitOf(left), unitOf(right)] as const;
  if (units[0] === 'none' || units[1] === 'none') {
    const equal = (operator === '==' || operator === '!=') && left.type === right.type;
    return equal ? { type: 'boolean', condition } : bad();
  }
  if (isComparison(operator) || operator === '+' || operator === '-') {
    if (!sameMeasure(units[0], units[1])) {
      for (const [written, unit] of [
        [expression.left, units[1]],
        [expression.right, units[0]],
      ] as const) {
        const bare = lacksUnit(written, unit);
        if (bare !== undefined && unit !== undefined)
          return context.report(needsUnit(bare, [unit], written.span));
        if (written.kind === 'quantity' && unit !== undefined)
          return context.report(
            errors.wrongUnit(written.span, expressionNoun(written), unitNoun(unit), suffixesOf([unit])),
          );
      }
      return bad();
    }
    if (isComparison(operator)) return { type: 'boolean', condition };
  }
  if (operator === '/' && right.condition.op === 'value' && right.condition.value === 0)
    return context.report(errors.divisionByZero(expression.right.span));
  const unit = resultUnit(operator, units[0], units[1]);
  return unit === 'bad' ? bad() : { type: unit ?? 'number', condition };
}

const unitOf = ({ type }: Typed): Unit | undefined | 'none' =>
  type === 'number' ? undefined : type === 'boolean' || type === 'text' || type === 'none' ? 'none' : type;

/** `peak_memory <= 8`: a number beside a quantity lacks its unit. */
const lacksUnit = (written: Expression, unit: Unit | undefined): number | undefined =>
  written.kind === 'number' && unit !== undefined ? written.value : undefined;

function noun({ condition, type }: Typed): string {
  if (condition.op === 'metric') {
    const name = `\`${condition.path.join('.')}\``;
    return type === 'number' || type === 'boolean' || type === 'text' || type === 'none'
      ? name
      : `${name} (${unitNoun(type)})`;
  }
  if (condition.op === 'value' && typeof condition.value === 'number' && type !== 'boolean')
    return `\`${formatQuantity(condition.value, type === 'text' || type === 'none' ? 'number' : type)}\``;
  if (type === 'boolean') return 'a condition';
  if (type === 'text') return 'a string';
  return type === 'none' ? '`none`' : type === 'number' ? 'a number' : unitNoun(type);
}

const fold = (op: 'not' | 'negate', operand: Condition): Condition =>
  op === 'negate' && operand.op === 'value' && typeof operand.value === 'number'
    ? { op: 'value', value: -operand.value }
    : { op, operand };
