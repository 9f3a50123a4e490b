import type { StageSummary } from '../../../language/ir/events.js';
import { comparisonOf } from '../../../language/schemas/comparisons.js';
import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { bytes, duration } from '../../../pipeline/planner/quantities.js';
import { placeText } from '../../../pipeline/planner/render/engine.js';
import { left, prose, right, table, together } from '../html/page.js';
import { figureText } from '../metric-text.js';
import type { ReportInput } from './input.js';

/** What ran, how it ended, and what each stage took. */
export function summary({ events }: ReportInput): Markup {
  const started = events.find((event) => event.type === 'run.started');
  const finished = events.findLast((event) => event.type === 'run.finished');
  if (started?.type !== 'run.started') return nothing;
  const end = finished?.type === 'run.finished' ? finished : undefined;
  const peak = Math.max(0, ...(end?.stages ?? []).map((stage) => stage.peakMemoryBytes));
  const when = events[0]?.at;
  return html`<h1>${started.pipeline}</h1>
<p class="soft">run ${started.runId}${when === undefined ? '' : ` · ${new Date(when).toISOString().replace('T', ' ').slice(0, 16)} UTC`} · ftpc ${started.ftpc} · ${computedBy(started)}</p>
<div class="cards">
<div class="card"><b class="status ${end?.status ?? 'interrupted'}">${(end?.status ?? 'killed').replaceAll('_', ' ')}</b><span>status</span></div>
${end === undefined ? nothing : html`<div class="card"><b>${together(duration(end.seconds))}</b><span>wall time</span></div>`}
${peak === 0 ? nothing : html`<div class="card"><b>${together(bytes(peak))}</b><span>peak memory</span></div>`}
</div>
${diagnostics(events)}
<h2>Stages</h2>
${table(
  'Stages',
  [...left('stage', 'kind', 'status'), ...right('time', 'peak memory'), ...left('figures')],
  (end?.stages ?? []).map((stage) => [
    stage.name,
    stage.kind,
    html`<span class="status ${statusOf(stage)}">${statusOf(stage)}</span>`,
    UNTIMED.has(stage.status) ? '' : duration(stage.seconds),
    stage.peakMemoryBytes > 0 ? bytes(stage.peakMemoryBytes) : '',
    figures(stage),
  ]),
)}`;
}

/** The engine, where its ranks were, and versions: the accelerate engine is named in its runtime, too. */
const computedBy = ({
  engine,
  runtime,
  ranks,
}: Extract<ReportInput['events'][number], { type: 'run.started' }>): string =>
  ranks === undefined
    ? `${engine}, ${runtime}`
    : `${engine}, ${placeText(ranks)}: ${runtime.replace(`${engine} `, '')}`;

/** Nothing of it ran, or only a part that no figure is for. */
const UNTIMED: ReadonlySet<StageSummary['status']> = new Set(['cached', 'blocked', 'ended']);

/** A stage that was interrupted has nothing wrong with it. */
const statusOf = ({ status, interrupted }: StageSummary): string =>
  interrupted === true ? 'interrupted' : status;

/** Each in one line, name and number. */
const figures = ({ metrics, dropped }: StageSummary): Markup =>
  html`${Object.keys(metrics)
    .filter((name) => comparisonOf(name) === undefined)
    .map(
      (name, index) =>
        html`${index === 0 ? '' : ' · '}<span class="whole">${figureText(name, { metrics, dropped })}</span>`,
    )}`;

function diagnostics(events: ReportInput['events']): Markup {
  const found = events.filter((event) => event.type === 'diagnostic');
  if (found.length === 0) return nothing;
  return html`<ul>${found.map((event) => {
    const fields = event as Readonly<Record<string, unknown>>;
    const severity = String(fields['severity']);
    const place = typeof fields['file'] === 'string' ? ` (${fields['file']}:${String(fields['line'])})` : '';
    return html`<li><b class="${severity}">${severity} ${String(fields['code'])}</b> ${prose(String(fields['message']))}<span class="soft">${place}</span></li>`;
  })}</ul>`;
}
