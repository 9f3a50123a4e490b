import type { Call, Stage } from '../../language/ir/types.js';
import { metricsOf } from '../../language/schemas/functions/metric.js';
import { metricPaths } from './expression.js';
import { isMetricName, metrics } from './metrics/table.js';
import type { MetricArgs, MetricName } from './metrics/types.js';
import { metricTwice } from './problems.js';

export interface ChosenMetric {
  readonly name: MetricName;
  readonly args: MetricArgs;
}

/**
 * The metrics of the list, and those that only a requirement names. Loss and perplexity come together where the rows are
 * texts: they are one computation. Throws a `UserError` for a metric that is listed twice.
 */
export function chosenMetrics(
  calls: readonly Call[],
  { name: stage, requires, span }: Pick<Stage, 'name' | 'requires' | 'span'>,
  of: 'texts' | 'labels' = 'texts',
): readonly ChosenMetric[] {
  const chosen = new Map<MetricName, ChosenMetric>();
  for (const { call, args } of calls) {
    if (!isMetricName(call)) throw new Error(`no metric is named ${call}`);
    if (chosen.has(call)) throw metricTwice(call, span);
    chosen.set(call, { name: call, args });
  }
  const named = requires
    .flatMap(({ condition }) => metricPaths(condition))
    // what another stage measured is not measured here
    .filter(([first, second]) => second === undefined || first === 'baseline' || first === stage)
    .map((path) => path.at(-1) ?? '');
  const suiting = metricsOf(of);
  const withLoss = [...chosen.keys()].some((name) => metrics[name].needs === 'loss')
    ? ['loss', 'perplexity']
    : [];
  for (const name of [...named, ...withLoss]) {
    if (isMetricName(name) && suiting.includes(name) && !chosen.has(name))
      chosen.set(name, { name, args: {} });
  }
  return [...chosen.values()];
}
