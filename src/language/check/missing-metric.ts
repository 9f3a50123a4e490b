/** A condition refers to a metric that its evaluation does not measure. */
import { metricNotListed, metricOfOtherRows } from '../diagnostics/catalogue/wiring.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { METRIC_ROWS, metricsOf } from '../schemas/functions/metric.js';
import { LABELLED, templates } from '../schemas/functions/template.js';
import type { Span } from '../source/span.js';
import type { Block, Expression } from '../syntax/ast.js';
import type { Context } from './context.js';
import type { Insertion } from './scope.js';

/** Offers to measure it, unless the rows cannot have it. `end`: where the list of metrics ends. */
export function unmeasured(
  { text, span }: { readonly text: string; readonly span: Span },
  { block, end }: { readonly block: Block | undefined; readonly end: Span | undefined },
  context: Context,
): Diagnostic {
  const rows = block && rowsOf(block, context);
  const of = Object.hasOwn(METRIC_ROWS, text) ? METRIC_ROWS[text as keyof typeof METRIC_ROWS] : 'any';
  if (rows !== undefined && of !== 'any' && of !== rows.of)
    return metricOfOtherRows(
      span,
      text,
      rows,
      rows.of === 'labels' ? 'labelled' : 'unlabelled',
      metricsOf(rows.of),
    );
  return metricNotListed(span, text, end, importOf(text, context));
}

/** The rows that an evaluation reads, where that is written in the file; nothing is known of others. */
function rowsOf(
  block: Block,
  { scope }: Context,
): { readonly name: string; readonly template: Span; readonly of: 'labels' | 'texts' } | undefined {
  const dataset = writtenIn(block, 'dataset');
  const name = dataset?.kind === 'reference' ? dataset.path[0]?.text : undefined;
  const format = name === undefined ? undefined : scope.lookup(name);
  const template = format?.kind === 'stage' ? writtenIn(format.block, 'template') : undefined;
  if (name === undefined || template?.kind !== 'call' || !Object.hasOwn(templates, template.callee.text))
    return undefined;
  return { name, template: template.span, of: template.callee.text === LABELLED ? 'labels' : 'texts' };
}

const writtenIn = ({ properties }: Block, setting: string): Expression | undefined =>
  properties.find(({ key }) => key.text === setting)?.value;

/** Measured, a metric must be known too. */
function importOf(name: string, { scope }: Context): Insertion | undefined {
  const module = scope.lookup(name) === undefined ? scope.moduleOf(name) : undefined;
  return module === undefined ? undefined : scope.importing(name, module);
}
