import type { StageSummary } from '../../language/ir/events.js';
import { bytes, duration, numberText } from '../../pipeline/planner/quantities.js';
import { columns } from '../../pipeline/planner/render/columns.js';
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
      headline(stage),
    ]),
  ];
  return columns(rows, { right: [2, 3], width });
}

/** Figures at most in a line. */
const MOST = 4;

function headline({ metrics, outputs }: StageSummary): string {
  const release = outputs['release'];
  const figures = Object.entries(metrics)
    .filter(([name]) => !name.startsWith('baseline.'))
    .slice(0, MOST)
    .map(([name, value]) => {
      const before = metrics[`baseline.${name}`];
      return `${name.replaceAll('_', ' ')} ${before === undefined ? '' : `${numberText(before)} → `}${numberText(value)}`;
    });
  return [...(release === undefined ? [] : [release]), ...figures].join(' · ');
}
