import { lineChart } from '../../html/line-chart.js';
import { html, type Markup, nothing } from '../../html/markup.js';
import { CURVES } from '../../metrics/curves.js';
import type { ReportInput } from '../input.js';

/** Curves of every train stage: loss, validation, learning rate, gradient norm, speed. */
export function training({ curves, events }: ReportInput): Markup {
  const trained = curves.filter(({ steps }) => steps.length > 0);
  if (trained.length === 0) return nothing;
  return html`<h2>Training</h2>
${trained.map((stage) => charts(stage, events))}`;
}

function charts(stage: ReportInput['curves'][number], events: ReportInput['events']): Markup {
  const chart = (title: string, name: string, curve: keyof typeof CURVES, yName = name): Markup =>
    lineChart([{ name, points: CURVES[curve](stage) }], { title, xName: 'step', yName, fromZero: true });
  return html`<h3>${stage.name}</h3>
<div class="charts">
${lineChart(
  [
    { name: 'training', points: CURVES.loss(stage) },
    { name: 'validation', points: CURVES.valid_loss(stage), marks: true },
  ],
  { title: 'Loss', xName: 'step', yName: 'nats per token' },
)}
${chart('Learning rate', 'learning rate', 'learning_rate', 'rate')}
${chart('Gradient norm before clipping', 'gradient norm', 'grad_norm', 'norm')}
${chart('Speed', 'tokens/s', 'tokens_per_second')}
</div>
${events.map((event) =>
  event.type === 'recovery' && event.stage === stage.name
    ? html`<p>Recovered from ${event.cause}: went on with <code>${JSON.stringify(event.change)}</code></p>`
    : nothing,
)}`;
}
