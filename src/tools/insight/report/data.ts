import { counted, percentText } from '../../../language/diagnostics/make.js';
import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { reasonText } from '../../../pipeline/stages/row-report.js';
import { barChart } from '../html/charts.js';
import { left, prose, right, table } from '../html/page.js';
import type { Lengths, ReportInput, RowNote, RowsReport } from './input.js';

/** Rows listed one by one at most; the JSON report has them all. */
const MOST_ROWS = 200;

/** What became of the rows: how many were kept, why the others were not, and how long they are. */
export function data({ rows, lengths }: ReportInput): Markup {
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
      reasonText(reason, count),
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
    reasonText(reason, 1),
    prose(detail),
  ]),
)}${rest > 0 ? html`<p class="soft">and ${rest} more in the stage’s JSON report</p>` : nothing}</details>`;
}
