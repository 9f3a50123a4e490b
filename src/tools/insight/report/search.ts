import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { numberText } from '../../../pipeline/planner/quantities.js';
import { barChart } from '../html/charts.js';
import { left, right, table } from '../html/page.js';
import { FEWEST } from '../search/importance.js';
import { type Decided, END_TEXTS, ranked, trialText, verdict, whatMattered } from '../search/table.js';
import type { ReportInput } from './input.js';

/** The trials of a search, best first, and how much of what they came to goes with each matrix. */
export function searched({ events }: ReportInput): Markup {
  const decided = events.findLast((event) => event.type === 'search.decided');
  return decided?.type === 'search.decided' ? section(decided) : nothing;
}

function section(search: Decided): Markup {
  const hasLosses = search.trials.some(({ losses }) => losses.length > 0);
  return html`<h2>Search</h2>
<h3>${search.search}</h3>
${table(
  'Trials',
  [
    ...left('trial'),
    ...right(search.by, ...(hasLosses ? ['validation loss at the rungs'] : [])),
    ...left('end'),
  ],
  ranked(search).map(({ at, value, losses, end, trial }) => [
    trialText(at),
    value === null ? '' : numberText(value),
    ...(hasLosses ? [losses.map(numberText).join(', ')] : []),
    trial === search.winner ? html`<b>won</b>` : END_TEXTS[end],
  ]),
)}
${mattered(search)}`;
}

function mattered(search: Decided): Markup {
  const found = whatMattered(search);
  if (found.importance.length === 0)
    return html`<p class="soft">What mattered cannot be told from ${found.trials} trials; ${FEWEST} are needed at least.</p>`;
  return html`<div class="charts">${barChart(
    found.importance.map((one) => ({
      label: one.matrix,
      value: Math.round(one.share * 100),
      title: `${one.matrix}: ${Math.round(one.share * 100)} %, ${verdict(one, found)}`,
    })),
    {
      title: 'What mattered',
      xName: 'matrix',
      yName: `variance of ranks (%) of the ${found.outcome}`,
      what: `Share of the variance in the ranks of ${found.trials} trials that goes with each matrix`,
    },
  )}</div>
${table(
  'What mattered',
  [...left('matrix'), ...right('share', 'as much by chance'), ...left('')],
  found.importance.map((one) => [
    one.matrix,
    `${Math.round(one.share * 100)} %`,
    `${(one.chance * 100).toFixed(1)} %`,
    verdict(one, found),
  ]),
)}`;
}
