import type { StageSummary } from '../../../../language/ir/events.js';
import { bytes, duration, numberText } from '../../../../pipeline/planner/quantities.js';
import { html, type Markup, nothing } from '../../html/markup.js';
import { left, right, table } from '../../html/table.js';
import type { ReportInput } from '../input.js';

/** What ran, how it ended, and what each stage took. */
export function summary({ events }: ReportInput): Markup {
  const started = events.find((event) => event.type === 'run.started');
  const finished = events.findLast((event) => event.type === 'run.finished');
  if (started?.type !== 'run.started') return nothing;
  const end = finished?.type === 'run.finished' ? finished : undefined;
  const peak = Math.max(0, ...(end?.stages ?? []).map((stage) => stage.peakMemoryBytes));
  const when = events[0]?.at;
  return html`<h1>${started.pipeline}</h1>
<p class="soft">run ${started.runId}${when === undefined ? '' : ` · ${new Date(when).toISOString().replace('T', ' ').slice(0, 16)} UTC`} · ftpc ${started.ftpc} · ${started.engine}, ${started.runtime}</p>
<div class="cards">
<div class="card"><b class="status ${end?.status ?? 'interrupted'}">${(end?.status ?? 'killed').replaceAll('_', ' ')}</b><span>status</span></div>
${end === undefined ? nothing : html`<div class="card"><b>${duration(end.seconds)}</b><span>wall time</span></div>`}
${peak === 0 ? nothing : html`<div class="card"><b>${bytes(peak)}</b><span>peak memory</span></div>`}
</div>
${diagnostics(events)}
${table(
  'Stages',
  [...left('stage', 'kind', 'status'), ...right('time', 'peak memory'), ...left('figures')],
  (end?.stages ?? []).map((stage) => [
    stage.name,
    stage.kind,
    html`<span class="status ${statusOf(stage)}">${statusOf(stage)}</span>`,
    stage.status === 'cached' || stage.status === 'blocked' ? '' : duration(stage.seconds),
    stage.peakMemoryBytes > 0 ? bytes(stage.peakMemoryBytes) : '',
    figures(stage.metrics),
  ]),
)}`;
}

/** A stage that was interrupted has nothing wrong with it. */
const statusOf = ({ status, interrupted }: StageSummary): string =>
  interrupted === true ? 'interrupted' : status;

const figures = (metrics: Readonly<Record<string, number>>): string =>
  Object.entries(metrics)
    .filter(([name]) => !name.startsWith('baseline.'))
    .map(([name, value]) => `${name.replaceAll('_', ' ')} ${numberText(value)}`)
    .join(' · ');

function diagnostics(events: ReportInput['events']): Markup {
  const found = events.filter((event) => event.type === 'diagnostic');
  if (found.length === 0) return nothing;
  return html`<ul>${found.map((event) => {
    const fields = event as Readonly<Record<string, unknown>>;
    const severity = String(fields['severity']);
    const place = typeof fields['file'] === 'string' ? ` (${fields['file']}:${String(fields['line'])})` : '';
    return html`<li><b class="${severity}">${severity} ${String(fields['code'])}</b> ${String(fields['message'])}<span class="soft">${place}</span></li>`;
  })}</ul>`;
}
