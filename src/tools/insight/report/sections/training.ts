import type { RunEvent } from '../../../../language/ir/events.js';
import { lineChart, type Point } from '../chart.js';
import type { ReportInput } from '../input.js';
import { html, type Markup, nothing } from '../markup.js';

type Step = Extract<RunEvent, { type: 'stage.progress' }>;

/** Curves of every train stage: loss, validation, learning rate, gradient norm, speed. */
export function training({ events }: ReportInput): Markup {
  const steps = events.filter(
    (event): event is Step => event.type === 'stage.progress' && event.step !== undefined,
  );
  const names = [...new Set(steps.map(({ stage }) => stage))];
  if (names.length === 0) return nothing;
  return html`<h2>Training</h2>
${names.map((name) =>
  curves(
    name,
    steps.filter(({ stage }) => stage === name),
    events,
  ),
)}`;
}

function curves(name: string, steps: readonly Step[], events: ReportInput['events']): Markup {
  const of = (field: 'loss' | 'learningRate' | 'gradNorm' | 'tokensPerSecond'): readonly Point[] =>
    steps.flatMap((event) =>
      typeof event[field] === 'number' ? [{ x: event.step ?? 0, y: event[field] }] : [],
    );
  const validation = events.flatMap((event) =>
    event.type === 'validation' && event.stage === name ? [{ x: event.step, y: event.loss }] : [],
  );
  const recoveries = events.filter((event) => event.type === 'recovery' && event.stage === name);
  return html`<h3>${name}</h3>
<div class="charts">
${lineChart(
  [
    { name: 'training', points: of('loss') },
    { name: 'validation', points: validation, marks: true },
  ],
  { title: 'Loss', xName: 'step', yName: 'nats per token' },
)}
${lineChart([{ name: 'learning rate', points: of('learningRate') }], { title: 'Learning rate', xName: 'step', yName: 'rate', fromZero: true })}
${lineChart([{ name: 'gradient norm', points: of('gradNorm') }], { title: 'Gradient norm before clipping', xName: 'step', yName: 'norm', fromZero: true })}
${lineChart([{ name: 'tokens/s', points: of('tokensPerSecond') }], { title: 'Speed', xName: 'step', yName: 'tokens/s', fromZero: true })}
</div>
${recoveries.map((event) =>
  event.type === 'recovery'
    ? html`<p>Recovered from ${event.cause}: went on with <code>${JSON.stringify(event.change)}</code></p>`
    : nothing,
)}`;
}
