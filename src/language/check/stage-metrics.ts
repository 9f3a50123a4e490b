/** Conditions that refer to what other stages measured. */
import * as names from '../diagnostics/catalogue/names.js';
import { stageMetrics } from '../schemas/stages/budget.js';
import type { Span } from '../source/span.js';
import type { Expression } from '../syntax/ast.js';
import type { Context } from './context.js';
import type { Measured, Typed } from './measured.js';
import type { StageSymbol } from './symbols.js';
import { unmeasured } from './unmeasured.js';

/** `quality.rouge_l`, `adapter.peak_memory`: what another stage measured. */
export function metricOfStage(
  { path, span }: Extract<Expression, { kind: 'reference' }>,
  { block, schema }: StageSymbol,
  { ofStages, where }: Measured,
  context: Context,
): Typed | undefined {
  const [first, second, third] = path;
  if (schema === undefined || first === undefined || second === undefined) return undefined;
  const metrics = ofStages === 'all' ? { ...schema.metrics, ...stageMetrics } : schema.metrics;
  const word = third ?? second;
  const found = third === undefined && Object.hasOwn(metrics, second.text) ? metrics[second.text] : undefined;
  if (found === undefined)
    return context.report(
      names.unknownMetric(word.span, word.text, `\`${first.text}\``, Object.keys(metrics)),
    );
  const listed = block.properties.find(({ key }) => key.text === 'metrics')?.value;
  const isMeasured =
    second.text in stageMetrics ||
    listed?.kind !== 'list' ||
    listed.items.some((item) => namesOf(item) === second.text);
  if (!isMeasured) return context.report(unmeasured(second, { block, end: endOf(listed) }, context));
  if (ofStages === undefined)
    return context.report(names.unknownMetric(span, `${first.text}.${second.text}`, where, []));
  context.uses.push({ stage: first.text, port: second.text, span });
  return { type: found.unit, condition: { op: 'metric', path: [first.text, second.text] } };
}

/** The metric that an item of a list of metrics is. */
const namesOf = (item: Expression): string | undefined =>
  item.kind === 'call' ? item.callee.text : item.kind === 'reference' ? item.path[0]?.text : undefined;

function endOf(list: Extract<Expression, { kind: 'list' }> | undefined): Span | undefined {
  const last = list?.items.at(-1)?.span;
  return last && { ...last, start: last.end };
}
