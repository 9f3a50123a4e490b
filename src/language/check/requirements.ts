/**
 * `require`: conditions over what is measured, typed and folded as far as they are known; at the end, those that refer to
 * a metric which their evaluation does not measure.
 */
import * as names from '../diagnostics/catalogue/names.js';
import { winnerInBudget } from '../diagnostics/catalogue/search.js';
import * as errors from '../diagnostics/catalogue/values.js';
import { baselineMissing, metricNotListed, metricOfOtherRows } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Requirement as Checked, Expression as Condition, MetricName } from '../ir/program.js';
import { isComparisonName } from '../schemas/comparisons.js';
import { METRIC_ROWS, metricsOf } from '../schemas/functions/metric.js';
import { type RowKind, rowKind, templates } from '../schemas/functions/template.js';
import { checklistMetrics, stageMetrics } from '../schemas/stages/budget.js';
import { lookUp } from '../source/look-up.js';
import type { Span } from '../source/span.js';
import { type SourceText, spanText } from '../source/text.js';
import type { Block, Expression, Requirement, Word } from '../syntax/ast.js';
import { constant, constantNames } from './constants.js';
import type { Context } from './context.js';
import {
  checkExpression,
  constantOf,
  type SyntaxOf,
  type TypedExpression,
  valueNode,
} from './expressions.js';
import { constantNoun, expressionNoun } from './nouns.js';
import { type Insertion, isValue, type MetricScope, type StageSymbol } from './scope.js';
import { type Winner, withoutWinner } from './winners.js';

export function checkRequirement(
  { condition, span }: Requirement,
  measured: MetricScope,
  source: SourceText,
  context: Context,
): Checked | undefined {
  const before = context.errors;
  const found = checkExpression<MetricName>(
    condition,
    {
      none: 'none',
      reference: (expression) => reference(expression, measured, context),
      inConditions: constantNames(context),
    },
    context,
  );
  if (found === undefined || context.errors > before) return undefined;
  if (found.type !== 'boolean')
    return context.report(
      errors.typeMismatch(condition.span, 'a condition', expressionNoun(condition), {
        help: 'compare it with something: `require rows >= 500`',
      }),
    );
  return { text: spanText(source, condition.span).replace(/\s+/g, ' '), condition: asData(found), span };
}

/** Without places; of a choice, which parameters decide, what is chosen. */
function asData(node: TypedExpression<MetricName>): Condition {
  const { type } = node;
  switch (node.op) {
    case 'value':
      return { op: 'value', type, value: node.value };
    case 'name':
      return { op: 'name', type, path: node.path };
    case 'choose':
      return asData(constantOf(node.condition)?.value === true ? node.whenTrue : node.whenFalse);
    case 'not':
      return { op: 'not', type, operand: asData(node.operand) };
    case 'negate': {
      const operand = asData(node.operand);
      return operand.op === 'value' && typeof operand.value === 'number'
        ? { op: 'value', type, value: -operand.value }
        : { op: 'negate', type, operand };
    }
    default:
      return { op: node.op, type, left: asData(node.left), right: asData(node.right) };
  }
}

function reference(
  expression: SyntaxOf<'reference'>,
  measured: MetricScope,
  context: Context,
): TypedExpression<MetricName> | undefined {
  const { path, winner } = withoutWinner(expression.path, context);
  const [first, second, third] = path;
  if (first === undefined) return undefined;
  // a budget limits each stage of a search
  if (winner !== undefined && measured.own === undefined)
    return context.report(winnerInBudget(winner.winner, path.map(({ text }) => text).join('.')));
  if (second === undefined && Object.hasOwn(measured.metrics, first.text))
    return metric([first.text], first.span, expression.span, measured, context);
  if (isComparisonName(first.text) && second !== undefined && measured.baseline !== undefined) {
    const word = third ?? second;
    if (third !== undefined || !Object.hasOwn(measured.metrics, second.text))
      return context.report(
        names.unknownMetric(word.span, word.text, 'the baseline', knownMetrics(measured)),
      );
    if (!measured.baseline.isSet)
      return context.report(baselineMissing(expression.span, measured.where, measured.baseline.insertAt));
    return metric([first.text, second.text], second.span, expression.span, measured, context);
  }
  const symbol = context.scope.lookup(first.text);
  if (first.text === measured.own && second !== undefined && third === undefined)
    return Object.hasOwn(measured.metrics, second.text)
      ? metric([second.text], second.span, expression.span, measured, context)
      : context.report(names.unknownMetric(second.span, second.text, measured.where, knownMetrics(measured)));
  if (symbol === undefined && first.text === 'checklist' && measured.ofStages === 'all')
    return metricOfChecklist(expression, path, context);
  if (symbol === undefined && second !== undefined && !isComparisonName(first.text))
    return context.report(
      names.unknownName(first.span, first.text, context.scope.declared('stage', 'param', 'matrix')),
    );
  if (symbol?.kind === 'stage' && second !== undefined)
    return metricOfStage({ ...expression, path }, symbol, { ...measured, winner }, context);
  if (isValue(symbol) || symbol?.kind === 'secret') {
    const found = constant(expression, context);
    if (found === undefined) return undefined;
    return found.value !== null && typeof found.value === 'object'
      ? context.report(errors.typeMismatch(expression.span, 'a number', constantNoun(found)))
      : valueNode(found, expression, 'none', context);
  }
  const text = expression.path.map((word) => word.text).join('.');
  return context.report(names.unknownMetric(expression.span, text, measured.where, knownMetrics(measured)));
}

const knownMetrics = ({ listed, metrics }: MetricScope): readonly string[] =>
  listed === undefined ? Object.keys(metrics) : [...new Set([...listed.names, ...Object.keys(metrics)])];

/** `at`: the word that names the metric, the last one of its path. */
function metric(
  path: readonly string[],
  at: Span,
  span: Span,
  measured: MetricScope,
  context: Context,
): TypedExpression<MetricName> | undefined {
  const name = path.at(-1) ?? '';
  if (measured.listed !== undefined && !measured.listed.names.has(name))
    return context.report(
      unmeasured({ text: name, span: at }, { block: measured.block, end: measured.listed.end }, context),
    );
  return { op: 'name', path, span, type: measured.metrics[name]?.unit ?? 'number' };
}

/** `checklist.open`, in a budget. */
function metricOfChecklist(
  { span }: SyntaxOf<'reference'>,
  [, word, more]: readonly Word[],
  context: Context,
): TypedExpression<MetricName> | undefined {
  const found = word && more === undefined ? lookUp(checklistMetrics, word.text) : undefined;
  if (word === undefined || found === undefined)
    return context.report(
      names.unknownMetric(
        more?.span ?? word?.span ?? span,
        (more ?? word)?.text ?? 'checklist',
        '`checklist`',
        Object.keys(checklistMetrics),
      ),
    );
  return { op: 'name', path: ['checklist', word.text], span, type: found.unit };
}

/** `quality.rouge_l`, `adapter.peak_memory`: what another stage measured. */
function metricOfStage(
  { path, span }: SyntaxOf<'reference'>,
  { block, schema }: StageSymbol,
  { ofStages, where, winner }: MetricScope & { readonly winner: Winner | undefined },
  context: Context,
): TypedExpression<MetricName> | undefined {
  const [first, second, third] = path;
  if (schema === undefined || first === undefined || second === undefined) return undefined;
  const metrics = ofStages === 'all' ? { ...schema.metrics, ...stageMetrics } : schema.metrics;
  const word = third ?? second;
  const found = third === undefined ? lookUp(metrics, second.text) : undefined;
  if (found === undefined)
    return context.report(
      names.unknownMetric(word.span, word.text, `\`${first.text}\``, Object.keys(metrics)),
    );
  const listed = writtenIn(block, 'metrics');
  // an empty list is a mistake of its own
  const isMeasured =
    second.text in stageMetrics ||
    listed?.kind !== 'list' ||
    listed.items.length === 0 ||
    listed.items.some((item) => metricNamed(item) === second.text);
  if (!isMeasured) return context.report(unmeasured(second, { block, end: endOf(listed) }, context));
  if (ofStages === undefined)
    return context.report(names.unknownMetric(span, `${first.text}.${second.text}`, where, []));
  context.uses.push({ stage: first.text, port: second.text, span, ...winner });
  return { op: 'name', path: [first.text, second.text], span, type: found.unit };
}

/** The metric that an item of a list of metrics names, also in quotes, which has been reported. */
export const metricNamed = (item: Expression): string | undefined =>
  item.kind === 'string'
    ? item.value
    : item.kind === 'call'
      ? item.callee.text
      : item.kind === 'reference'
        ? item.path[0]?.text
        : undefined;

/** Where another metric would be written. */
export function endOf(list: Extract<Expression, { kind: 'list' }> | undefined): Span | undefined {
  const last = list?.items.at(-1)?.span;
  return last && { ...last, start: last.end };
}

/** Offers to measure it, unless the rows cannot have it. `end`: where the list of metrics ends. */
function unmeasured(
  { text, span }: { readonly text: string; readonly span: Span },
  { block, end }: { readonly block: Block | undefined; readonly end: Span | undefined },
  context: Context,
): Diagnostic {
  const rows = block && rowsOf(block, context);
  if (rows !== undefined && Object.hasOwn(METRIC_ROWS, text) && !metricsOf(rows.of).includes(text))
    return metricOfOtherRows(span, text, rows, rows.of, metricsOf(rows.of));
  return metricNotListed(span, text, end, importOf(text, context));
}

/** The rows that an evaluation reads, where that is written in the file; nothing is known of others. */
function rowsOf(
  block: Block,
  { scope }: Context,
): { readonly name: string; readonly template: Span; readonly of: RowKind } | undefined {
  const dataset = writtenIn(block, 'dataset');
  const name = dataset?.kind === 'reference' ? dataset.path[0]?.text : undefined;
  const format = name === undefined ? undefined : scope.lookup(name);
  const template = format?.kind === 'stage' ? writtenIn(format.block, 'template') : undefined;
  if (name === undefined || template?.kind !== 'call' || !Object.hasOwn(templates, template.callee.text))
    return undefined;
  return { name, template: template.span, of: rowKind(template.callee.text) };
}

const writtenIn = ({ properties }: Block, setting: string): Expression | undefined =>
  properties.find(({ key }) => key.text === setting)?.value;

/** Measured, a metric must be known too. */
function importOf(name: string, { scope }: Context): Insertion | undefined {
  const module = scope.lookup(name) === undefined ? scope.moduleOf(name) : undefined;
  return module === undefined ? undefined : scope.importing(name, module);
}
