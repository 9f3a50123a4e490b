/** What `--plot` can draw: what training measures at every step, and metrics from run to run. */
import { noSuchMetric } from '../../../language/diagnostics/catalogue/insight.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Run, RunStage } from '../runs/index.js';
import type { Point, Series } from '../series.js';
import { isCalled, known, metricsTable } from './table.js';

const point = (x: number, y: number | null): readonly Point[] => (y === null ? [] : [{ x, y }]);

/** By step; named as in the view `steps`. */
export const CURVES = {
  loss: ({ steps }: Curves) => steps.flatMap(({ step, loss }) => point(step, loss)),
  valid_loss: ({ validations }: Curves) => validations.flatMap(({ step, loss }) => point(step, loss)),
  learning_rate: ({ steps }: Curves) => steps.flatMap(({ step, learningRate }) => point(step, learningRate)),
  grad_norm: ({ steps }: Curves) => steps.flatMap(({ step, gradNorm }) => point(step, gradNorm)),
  tokens_per_second: ({ steps }: Curves) =>
    steps.flatMap(({ step, tokensPerSecond }) => point(step, tokensPerSecond)),
} as const satisfies Readonly<Record<string, (stage: Curves) => readonly Point[]>>;

type Curves = Pick<RunStage, 'steps' | 'validations'>;

interface PlotData {
  readonly series: readonly Series[];
  readonly xName: string;
}

/** `name`: a curve or a metric, with its stage before it where only that one is meant. Throws a `UserError`. */
export function seriesOf(runs: readonly Run[], name: string): PlotData {
  const curves = curvesOf(runs, name);
  if (curves.length > 0) return { series: curves, xName: 'step' };
  const table = metricsTable(runs);
  const metrics = table.metrics.filter((metric) => isCalled(metric, name));
  if (metrics.length === 0)
    throw new UserError(noSuchMetric(name, [...Object.keys(CURVES), ...known(table.metrics)]));
  const inTime = table.rows.toReversed();
  const series = metrics.map((metric) => ({
    name: metric,
    points: inTime.flatMap(({ values }, index) => point(index + 1, values[metric] ?? null)),
  }));
  return { series, xName: `run, ${inTime[0]?.run.id} to ${inTime.at(-1)?.run.id}` };
}

/** A stage that was cached draws the curve of the run that trained it; that run alone is shown if it is among these. */
function curvesOf(runs: readonly Run[], name: string): readonly Series[] {
  const drawn = new Set<string>();
  return runs
    .toReversed()
    .flatMap((run) => run.stages.map((stage) => ({ run, stage })))
    .flatMap(({ run, stage }): readonly Series[] => {
      const curve = Object.entries(CURVES).find(
        ([key]) => name === key || name === `${stage.name}.${key}`,
      )?.[1];
      const points = curve?.(stage) ?? [];
      const isSeen = stage.key !== null && drawn.has(stage.key);
      if (points.length === 0 || isSeen) return [];
      if (stage.key !== null && stage.status !== 'unfinished') drawn.add(stage.key);
      return [{ name: `${run.id} ${stage.name}`, points }];
    });
}
