import { barChart } from '../bars.js';
import type { Lengths, ReportInput, RowNote, RowsReport } from '../input.js';
import { html, type Markup, nothing } from '../markup.js';

/** Rows listed one by one at most; the JSON report has them all. */
const MOST_ROWS = 200;

/** What became of the rows: how many were kept, why the others were not, and how long they are. */
export function data({ rows, lengths }: ReportInput): Markup {
  const names = Object.keys(rows);
  if (names.length === 0) return nothing;
  return html`<h2>Data</h2>
${names.map((name) => html`<h3>${name}</h3>${stage(rows[name], lengths[name] ?? [])}`)}`;
}

function stage(report: RowsReport | undefined, lengths: readonly Lengths[]): Markup {
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
      `Length of the rows, ${split}`,
      'tokens, at most',
    ),
  )}</div>`;
}

function counts({ counts: reasons, rows }: RowsReport): Markup {
  const found = Object.entries(reasons).filter(([, count]) => count > 0);
  if (found.length === 0) return nothing;
  return html`<table><tr><th>reason</th><th class="n">rows</th><th class="n">share</th></tr>
${found.map(
  ([reason, count]) =>
    html`<tr><td>${reason.replaceAll('_', ' ')}</td><td class="n">${count}</td><td class="n">${((100 * count) / Math.max(1, rows)).toFixed(1)} %</td></tr>
`,
)}</table>`;
}

function listed(what: string, notes: readonly RowNote[]): Markup {
  if (notes.length === 0) return nothing;
  const shown = notes.slice(0, MOST_ROWS);
  const rest = notes.length - shown.length;
  return html`<details><summary>${notes.length} ${notes.length === 1 ? 'row' : 'rows'} ${what}</summary>
<div class="scroll"><table><tr><th>place</th><th>reason</th><th>detail</th></tr>
${shown.map(
  ({ file, line, reason, detail }) =>
    html`<tr><td><code>${file}:${line}</code></td><td>${reason.replaceAll('_', ' ')}</td><td>${detail}</td></tr>
`,
)}</table></div>${rest > 0 ? html`<p class="soft">and ${rest} more in the stage’s JSON report</p>` : nothing}</details>`;
}
