import { numberText } from '../../run/text.js';
import type { EvaluationReport, ReportInput, Sample } from '../input.js';
import { html, type Markup, nothing } from '../markup.js';

/** Tuned beside baseline, with intervals, and answers to look at. */
export function evaluation({ evaluations }: ReportInput): Markup {
  const names = Object.keys(evaluations);
  if (names.length === 0) return nothing;
  return html`<h2>Evaluation</h2>
${names.map((name) => html`<h3>${name}</h3>${one(evaluations[name])}`)}`;
}

function one(report: EvaluationReport | undefined): Markup {
  if (report === undefined) return nothing;
  const compared = report.metrics.some(({ baseline }) => baseline !== undefined);
  return html`<table><tr><th>metric</th><th class="n">tuned</th><th class="n">95 % interval</th>${
    compared ? html`<th class="n">baseline</th><th class="n">95 % interval</th>` : nothing
  }</tr>
${report.metrics.map(
  (
    metric,
  ) => html`<tr><td>${metric.name.replaceAll('_', ' ')}</td><td class="n">${numberText(metric.value)}</td><td class="n">${range(metric.interval)}</td>${
    compared
      ? html`<td class="n">${metric.baseline === undefined ? '' : numberText(metric.baseline)}</td><td class="n">${range(metric.baselineInterval)}</td>`
      : nothing
  }</tr>
`,
)}</table>
${report.samples.map(sample)}`;
}

const range = (interval: readonly [number, number] | undefined): string =>
  interval === undefined ? '' : `${numberText(interval[0])} – ${numberText(interval[1])}`;

const sample = ({ prompt, reference, baseline, answer }: Sample): Markup => html`<div class="sample">
<h4>asked</h4><pre>${prompt}</pre>
<div class="pair"><div><h4>reference</h4><pre>${reference}</pre></div>
${baseline === undefined ? nothing : html`<div><h4>before</h4><pre>${baseline}</pre></div>`}
<div><h4>after</h4><pre>${answer}</pre></div></div>
</div>`;
