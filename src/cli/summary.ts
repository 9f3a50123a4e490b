import type { StageSummary } from '../ir/events.js';
import { bytesText, numberText, secondsText } from '../run/text.js';
import { statusText } from './progress/sentences.js';
import { tableLines } from './table.js';
import type { Colours } from './world.js';

/** The table at the end of a run: stage, status, time, memory, and the figures that matter. */
export function summaryLines(stages: readonly StageSummary[], colours: Colours): readonly string[] {
  const [head = '', ...rows] = tableLines(
    [
      { title: 'stage' },
      { title: 'status' },
      { title: 'time', right: true },
      { title: 'memory', right: true },
      { title: 'result' },
    ],
    stages.map((stage) => [
      stage.name,
      statusText(stage, colours),
      stage.status === 'done' || stage.status === 'failed' ? secondsText(stage.seconds) : '',
      stage.peakMemoryBytes > 0 ? bytesText(stage.peakMemoryBytes) : '',
      headline(stage),
    ]),
  );
  return [colours.dim(head), ...rows];
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
