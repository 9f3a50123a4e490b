/** One page about a run; everything from outside is escaped. */

import { counted, percentText } from '../../../language/diagnostics/make.js';
import type { StageSummary } from '../../../language/ir/events.js';
import { comparisonOf } from '../../../language/schemas/comparisons.js';
import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { MEMORY_PARTS, type Plan } from '../../../pipeline/planner/plan-json.js';
import { bytes, duration } from '../../../pipeline/planner/quantities.js';
import { placeText } from '../../../pipeline/planner/render/engine.js';
import { barChart, lineChart } from '../html/charts.js';
import { left, page, prose, right, table, together } from '../html/page.js';
import { STYLE } from '../html/style.js';
import { figureText } from '../metric-text.js';
import { CURVES, validCurve } from '../metrics/plot.js';
import { productionChecklist } from './checklist.js';
import { evaluation } from './evaluation.js';
import type { Lengths, ReportInput, RowNote, RowsReport } from './input.js';
import { ranSettings } from './ran-settings.js';
import { searched } from './search.js';
import { tracked } from './tracked.js';

const SECTIONS = [
  summary,
  searched,
  training,
  evaluation,
  productionChecklist,
  ranSettings,
  data,
  memory,
  tracked,
  manifest,
] as const;

export function renderReport(input: ReportInput): string {
  const started = input.events.find((event) => event.type === 'run.started');
  const title = started?.type === 'run.started' ? `${started.pipeline} · ftpc` : 'ftpc';
  return page(
    title,
    STYLE,
    html`<main>
${SECTIONS.map((section) => section(input))}
</main>`,
  );
}

/** What ran, how it ended, and what each stage took. */
function summary({ events }: ReportInput): Markup {
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

/** Curves of every train stage: loss, validation, learning rate, gradient norm, speed. */
function training({ curves, events }: ReportInput): Markup {
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
    ? html`<p>Recovered from ${prose(event.cause)}: continued with <code>${JSON.stringify(event.change)}</code></p>`
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

/** Rows listed one by one at most; the JSON report has them all. */
const MOST_ROWS = 200;

/** What became of the rows: how many were kept, why the others were not, and how long they are. */
function data({ rows, lengths }: ReportInput): Markup {
  const names = Object.keys(rows);
  if (names.length === 0) return nothing;
  return html`<h2>Data</h2>
${names.map((name) => html`<h3>${name}</h3>${rowsOf(rows[name], lengths[name] ?? [])}`)}`;
}

function rowsOf(report: RowsReport | undefined, lengths: readonly Lengths[]): Markup {
  if (report === undefined) return nothing;
  return html`<p>${report.kept} of ${report.rows} rows kept.</p>
${counts(report)}
${listed('dropped', report.dropped)}
${listed('warned of', report.warnings)}
<div class="charts">${lengths.map(({ split, width, counts: bars }) =>
    barChart(
      bars.map((value, index) => ({
        label: String(width * (index + 1)),
        value,
        title: `${value} rows with ${width * index + 1} to ${width * (index + 1)} tokens`,
      })),
      {
        title: `Length of the rows, ${split}`,
        xName: `length (tokens, at most)`,
        yName: 'rows',
        what: `${counted(
          bars.reduce((sum, value) => sum + value, 0),
          'row',
        )} by their length in tokens`,
      },
    ),
  )}</div>`;
}

function counts({ counts: reasons, rows }: RowsReport): Markup {
  const found = Object.entries(reasons).filter(([, count]) => count > 0);
  if (found.length === 0) return nothing;
  return table(
    'Rows that were dropped',
    [...left('reason'), ...right('rows', 'share')],
    found.map(([reason, count]) => [
      reason.replaceAll('_', ' '),
      count,
      percentText(count / Math.max(1, rows)),
    ]),
  );
}

function listed(what: string, notes: readonly RowNote[]): Markup {
  if (notes.length === 0) return nothing;
  const shown = notes.slice(0, MOST_ROWS);
  const rest = notes.length - shown.length;
  return html`<details><summary>${counted(notes.length, 'row')} ${what}</summary>
${table(
  `Rows ${what}`,
  left('place', 'reason', 'detail'),
  shown.map(({ file, line, reason, detail }) => [
    html`<code>${file}:${line}</code>`,
    reason.replaceAll('_', ' '),
    prose(detail),
  ]),
)}${rest > 0 ? html`<p class="soft">and ${rest} more in the stage’s JSON report</p>` : nothing}</details>`;
}

/** What the plan predicted next to what was measured, stage by stage. */
function memory({ plan, events }: ReportInput): Markup {
  if (plan === undefined) return nothing;
  const finished = events.findLast((event) => event.type === 'run.finished');
  const stages = finished?.type === 'run.finished' ? finished.stages : [];
  const rows = plan.stages.flatMap((planned) => {
    const measured = stages.find(({ name }) => name === planned.name)?.peakMemoryBytes ?? 0;
    return planned.peak === null ? [] : [{ planned, peak: planned.peak, measured }];
  });
  if (rows.length === 0) return nothing;
  const parts = MEMORY_PARTS.filter((part) => rows.some(({ peak }) => peak.parts[part] > 0));
  return html`<h2>Memory</h2>
<p class="soft">The most that is resident in a stage’s own process${ofRanks(plan)}; ${plan.machine.name} has ${together(bytes(plan.machine.memoryBytes))}.</p>
${table(
  'Memory',
  [...left('stage'), ...right('planned', 'measured', 'plan ÷ measured', ...parts)],
  rows.map(({ planned, peak, measured }) => [
    planned.name,
    bytes(peak.bytes),
    measured > 0 ? bytes(measured) : '',
    measured > 0 ? (peak.bytes / measured).toFixed(2) : '',
    ...parts.map((part) => (peak.parts[part] > 0 ? bytes(peak.parts[part]) : '')),
  ]),
)}`;
}

/** `, or in one of its 8 ranks` */
const ofRanks = ({ stages }: Plan): string => {
  const ranks = Math.max(1, ...stages.map(({ peak }) => peak?.ranks ?? 1));
  return ranks === 1 ? '' : `, or in one of its ${ranks} ranks`;
};

/** Every file that the stages produced, with its digest. */
function manifest({ manifest: entries }: ReportInput): Markup {
  if (entries.length === 0) return nothing;
  return html`<h2>Outputs</h2>
${entries.map(
  ({ stage, key, files }) => html`<details><summary>${stage} · <code>.ftp/store/${key}</code></summary>
${table(
  `Files of ${stage}`,
  [...left('file'), ...right('size'), ...left('SHA-256')],
  Object.entries(files).map(([name, { bytes: size, sha256 }]) => [
    html`<code>${name}</code>`,
    bytes(size),
    html`<code>${sha256}</code>`,
  ]),
)}</details>
`,
)}`;
}
