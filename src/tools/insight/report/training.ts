import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { changeText } from '../../../pipeline/planner/quantities.js';
import { lineChart } from '../html/charts.js';
import { prose } from '../html/page.js';
import { CURVES, validCurve } from '../metrics/plot.js';
import type { ReportInput } from './input.js';

/** Curves of every train stage: loss, validation, learning rate, gradient norm, speed. */
export function training({ curves, events }: ReportInput): Markup {
  const trained = curves.filter(({ steps }) => steps.length > 0);
  if (trained.length === 0) return nothing;
  return html`<h2>Training</h2>
${trained.map((stage) => charts(stage, events))}`;
}

/** A chart for each metric of the answers: they have scales of their own. */
const validated = (stage: ReportInput['curves'][number]): readonly Markup[] =>
  [...new Set(stage.validations.flatMap(({ metrics }) => Object.keys(metrics)))].map((metric) =>
    lineChart([{ name: metric, points: validCurve(metric)(stage), marks: true }], {
      title: `Validation: ${metric}`,
      xName: X_NAME,
      yName: metric,
      fromZero: true,
    }),
  );

function charts(stage: ReportInput['curves'][number], events: ReportInput['events']): Markup {
  const chart = (title: string, yName: string, curve: keyof typeof CURVES): Markup =>
    lineChart([{ name: yName, points: CURVES[curve](stage) }], {
      title,
      xName: X_NAME,
      yName,
      fromZero: true,
    });
  return html`<h3>${stage.name}</h3>
<div class="charts">
${lineChart(
  [
    { name: 'training', points: CURVES.loss(stage) },
    { name: 'validation', points: CURVES.valid_loss(stage), marks: true },
  ],
  { title: 'Loss', xName: X_NAME, yName: 'loss (nats per token)' },
)}
${validated(stage)}
${chart('Learning rate', 'learning rate', 'learning_rate')}
${chart('Gradient norm before clipping', 'gradient norm (L2)', 'grad_norm')}
${speed(stage)}
${deviceMemory(stage)}
</div>
${events.map((event) =>
  event.type === 'recovery' && event.stage === stage.name
    ? html`<p>Recovered from ${prose(event.cause)}: continued with ${changeText(event.change)}</p>`
    : event.type === 'retry' && event.stage === stage.name
      ? html`<p>Tried again (${event.attempt} of ${event.retries}) after ${prose(event.cause)}</p>`
      : nothing,
)}`;
}

const X_NAME = 'optimiser step';

/** In all, and where several devices shared the steps, of each. */
function speed(stage: ReportInput['curves'][number]): Markup {
  const each = CURVES.tokens_per_second_each(stage);
  return lineChart(
    [
      {
        name: each.length === 0 ? 'tokens per second' : 'all devices',
        points: CURVES.tokens_per_second(stage),
      },
      ...(each.length === 0 ? [] : [{ name: 'each device', points: each }]),
    ],
    { title: 'Speed', xName: X_NAME, yName: 'tokens per second', fromZero: true },
  );
}

const GIB = 2 ** 30;

/** Of each GPU what is held for tensors, or of each rank on the CPU what is resident; nothing in the embedded engine. */
function deviceMemory({ steps }: ReportInput['curves'][number]): Markup {
  const onGpu = steps.some(({ ranks }) => (ranks?.memory ?? []).length > 0);
  const ofStep = ({ ranks }: (typeof steps)[number]): readonly number[] =>
    (onGpu ? ranks?.memory.map(({ reserved }) => reserved) : ranks?.resident) ?? [];
  const devices = Math.max(0, ...steps.map((step) => ofStep(step).length));
  if (devices === 0) return nothing;
  const series = Array.from({ length: devices }, (_, device) => ({
    name: `${onGpu ? 'GPU' : 'rank'} ${device}`,
    points: steps.flatMap((step) => {
      const bytesThere = ofStep(step)[device];
      return bytesThere === undefined ? [] : [{ x: step.step, y: bytesThere / GIB }];
    }),
  }));
  const title = onGpu ? 'Memory of each GPU, as held for tensors' : 'Resident memory of each rank';
  return lineChart(series, { title, xName: X_NAME, yName: 'memory (GiB)', fromZero: true });
}
