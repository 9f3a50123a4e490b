import { html, type Markup } from '../../../language/source/markup.js';
import type { Comparison } from '../comparison/compare.js';
import { differenceOf, valueText, verdictOf } from '../comparison/words.js';
import { ageText, countText } from '../figures.js';
import type { DashboardData } from '../monitoring/dashboard-data.js';

const CLASSES: Readonly<Record<string, string>> = { 'real: better': 'good', 'real: worse': 'bad' };

/** Of the canary and the current release; nothing where there is no canary. */
export function comparisonTable({ comparison, now }: Pick<DashboardData, 'comparison' | 'now'>): Markup {
  if (comparison === null) return html``;
  const { current, canary, since, measures } = comparison;
  const age = ageText(now - since);
  if (measures.length === 0)
    return html`<h2>Release ${canary} against release ${current}</h2>
<p class="soft">For ${age}; either has to answer more than one user before there is something to compare.</p>
`;
  return html`<h2>Release ${canary} against release ${current}</h2>
<p class="soft">Requests of the last ${age}, since release ${canary} is the canary. A difference is called real when a test that may be looked at all the time finds it at the level of 5 %.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Comparison"><table>
<caption class="unseen">Measures of both releases</caption>
<thead><tr><th scope="col">measure</th><th scope="col" class="n">release ${current}</th><th scope="col" class="n">release ${canary}</th><th scope="col">difference (95 % interval)</th><th scope="col">verdict</th></tr></thead>
<tbody>
${measures.map(row)}</tbody>
</table></div>
`;
}

const row = (compared: Comparison): Markup => html`<tr><th scope="row">${compared.label}</th>${[
  compared.a,
  compared.b,
].map(
  ({ value, count }) =>
    html`<td class="n">${valueText(compared, value)} <span class="soft">of ${countText(count)}</span></td>`,
)}<td>${differenceOf(compared)}</td><td class="${CLASSES[verdictOf(compared)] ?? ''}">${verdictOf(compared)}</td></tr>
`;
