import type { Call } from '../../language/ir/program.js';
import { metricsOf } from '../../language/schemas/functions/metric.js';
import type { Span } from '../../language/source/span.js';
import { metricTwice } from './evaluation-diagnostics.js';
import { isMetricName, metrics } from './metrics/table.js';
import type { MetricArgs, MetricName } from './metrics/types.js';

export interface ChosenMetric {
  readonly name: MetricName;
  readonly args: MetricArgs;
}

/**
 * The metrics of the list, and those that are only required. Loss and perplexity come together where the rows are
 * texts: they are one computation. Throws a `UserError` for a metric that is listed twice.
 */
export function chosenMetrics(
  calls: readonly Call[],
  required: readonly string[],
  span: Span,
  of: 'texts' | 'labels' = 'texts',
): readonly ChosenMetric[] {
  const chosen = new Map<MetricName, ChosenMetric>();
  for (const { call, args } of calls) {
    if (!isMetricName(call)) throw new Error(`no metric is named ${call}`);
    if (chosen.has(call)) throw metricTwice(call, span);
    chosen.set(call, { name: call, args });
  }
  const suiting = metricsOf(of);
  const withLoss = [...chosen.keys()].some((name) => metrics[name].needs === 'loss')
    ? ['loss', 'perplexity']
    : [];
  for (const name of [...required, ...withLoss]) {
    if (isMetricName(name) && suiting.includes(name) && !chosen.has(name))
      chosen.set(name, { name, args: {} });
  }
  return [...chosen.values()];
}
