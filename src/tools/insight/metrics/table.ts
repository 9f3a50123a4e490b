/** Runs and their metrics as one table. */
import { noSuchMetric } from '../../../language/diagnostics/catalogue/insight.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Run } from '../runs/index.js';

export interface MetricsTable {
  /** `quality.rouge_l`, in the order of the stages. */
  readonly metrics: readonly string[];
  /** Newest first. */
  readonly rows: readonly { readonly run: Run; readonly values: Readonly<Record<string, number>> }[];
}

/** `only` names metrics by themselves (`rouge_l`) or with their stage (`quality.rouge_l`); left out, all. */
export function metricsTable(runs: readonly Run[], only: readonly string[] = []): MetricsTable {
  const rows = runs.map((run) => ({ run, values: valuesOf(run) }));
  const all = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  for (const name of only)
    if (!all.some((metric) => isCalled(metric, name))) throw new UserError(noSuchMetric(name, known(all)));
  return {
    metrics: all.filter((metric) => only.length === 0 || only.some((name) => isCalled(metric, name))),
    rows,
  };
}

const valuesOf = ({ stages }: Run): Readonly<Record<string, number>> =>
  Object.fromEntries(
    stages.flatMap(({ name, metrics }) =>
      Object.entries(metrics).map(([metric, value]) => [`${name}.${metric}`, value] as const),
    ),
  );

/** Names of stages may hold dots, and so may those of metrics: a metric is called by any of its ends. */
export const isCalled = (metric: string, name: string): boolean =>
  metric === name || metric.endsWith(`.${name}`);

/** Every name that a metric can be called by. */
export const known = (metrics: readonly string[]): readonly string[] => [
  ...new Set([...metrics.map((metric) => metric.slice(metric.indexOf('.') + 1)), ...metrics]),
];
