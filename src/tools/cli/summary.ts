import type { StageSummary } from '../../language/ir/events.js';
import { comparisonOf } from '../../language/schemas/comparisons.js';
import { bytes, duration } from '../../pipeline/planner/quantities.js';
import { columns } from '../../pipeline/planner/render/columns.js';
import { figureText } from '../insight/metric-text.js';
import type { Colours } from './cli-context.js';
import { statusText } from './progress/sentences.js';

/** The table at the end of a run: stage, status, time, peak memory, and the figures that matter. `width`: of the terminal. */
export function summaryLines(
  stages: readonly StageSummary[],
  colours: Colours,
  width?: number,
): readonly string[] {
  const rows = [
    ['stage', 'status', 'time', 'memory', 'result'].map((title) => colours.dim(title)),
    ...stages.map((stage) => [
      stage.name,
      statusText(stage, colours),
      stage.status === 'done' || stage.status === 'failed' ? duration(stage.seconds) : '',
      stage.peakMemoryBytes > 0 ? bytes(stage.peakMemoryBytes) : '',
      resultText(stage),
    ]),
  ];
  return columns(rows, { right: [2, 3], width });
}

/** The reasons of what was dropped have it. */
const isTold = (name: string, dropped: StageSummary['dropped']): boolean =>
  dropped !== undefined && name === 'duplicates';

/** Figures at most in a line. */
const MOST = 4;

/** The figures of a stage's result: `rows 142 · 8 dropped: 4 empty, 4 malformed`. */
export function resultText({
  metrics,
  outputs,
  dropped,
}: Pick<StageSummary, 'metrics' | 'outputs' | 'dropped'>): string {
  const release = outputs['release'];
  const figures = Object.keys(metrics)
    .filter((name) => comparisonOf(name) === undefined && !isTold(name, dropped))
    .slice(0, MOST)
    .map((name) => figureText(name, { metrics, dropped }));
  // a train stage has no metric of it
  const left =
    dropped === undefined || 'dropped' in metrics ? [] : [figureText('dropped', { metrics, dropped })];
  return [...(release === undefined ? [] : [release]), ...figures, ...left].join(' · ');
}
