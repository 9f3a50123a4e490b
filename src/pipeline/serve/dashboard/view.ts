/** What is measured, as the part of the page that is renewed every few seconds. */
import { html, type Markup } from '../../../language/source/markup.js';
import { ageText, countText, NONE, numberText, secondsText, shareOf, shareText } from '../figures.js';
import type { AnswerFigures } from '../monitoring/answer-figures.js';
import type { DashboardData, ReleaseTraffic } from '../monitoring/dashboard-data.js';
import { comparisonTable } from './comparison-table.js';
import { lineChart } from './line-chart.js';

export function dashboardView(data: DashboardData): Markup {
  const shown = data.releases.filter(({ role }) => role !== 'past');
  const past = data.releases.filter(({ role }) => role === 'past');
  return html`<header>
<h1>${data.model}</h1>
<p class="soft">up for ${ageText(data.now - data.began)} · ${countText(data.open)} requests at work · ${countText(data.refused)} refused before they had a model · <time datetime="${new Date(data.now).toISOString()}">${timeText(data.now)}</time></p>
</header>
<div class="releases">
${shown.map((release) => releaseCard(release, data))}</div>
${comparisonTable(data)}${pastTable(past)}`;
}

const timeText = (now: number): string => `${new Date(now).toISOString().slice(11, 19)} UTC`;

const TITLES: Readonly<Record<string, string>> = { current: 'current', canary: 'canary', only: '' };

function releaseCard(release: ReleaseTraffic, data: DashboardData): Markup {
  const { release: number, role, share } = release;
  const title = role === 'only' ? 'the model' : `Release ${number}`;
  return html`<section aria-label="${title}">
<h2>${title} <span class="badge ${role}">${TITLES[role] ?? role}</span> <span class="soft">${role === 'only' ? '' : `${shareText(share)} of requests`}</span></h2>
<dl class="figures">
${figures(release).map(
  ([
    name,
    value,
    more,
  ]) => html`<div><dt>${name}</dt><dd>${value}${more === undefined ? '' : html` <span class="soft">${more}</span>`}</dd></div>
`,
)}</dl>
<div class="charts">${charts(release, data)}</div></section>
`;
}

type Figure = readonly [name: string, value: string, more?: string];

function figures(release: ReleaseTraffic): readonly Figure[] {
  const { lately, quality, evaluated, up, down, requests, errors, running, waiting, points } = release;
  const tokens = points.slice(-12).reduce((sum, { tokensPerSecond }) => sum + tokensPerSecond, 0) / 12;
  const cached = shareOf(release.cachedTokens, release.promptTokens);
  return [
    ['latency p50', secondsText(lately.p50), '10 min'],
    ['latency p95', secondsText(lately.p95)],
    ['latency p99', secondsText(lately.p99)],
    ['first token p50', secondsText(release.firstToken.p50)],
    ['tokens/s', numberText(points.length === 0 ? 0 : tokens), '1 min'],
    ['running', countText(running)],
    ['queue', countText(waiting)],
    ['requests', countText(requests)],
    ['error rate', shareOf(errors, requests)],
    ['thumbs up', shareOf(up, up + down), up + down === 0 ? undefined : `of ${countText(up + down)}`],
    [
      'answer length p50',
      tokensText(quality, 'median'),
      evaluatedText(evaluated, (each) => tokensText(each, 'median')),
    ],
    [
      'answer length p95',
      tokensText(quality, 'p95'),
      evaluatedText(evaluated, (each) => tokensText(each, 'p95')),
    ],
    [
      'repetition',
      shareText(quality.repetition),
      evaluatedText(evaluated, (each) => shareText(each.repetition)),
    ],
    ['refusals', shareText(quality.refusals), evaluatedText(evaluated, (each) => shareText(each.refusals))],
    ['prompt cached', cached],
  ];
}

const tokensText = ({ tokens }: AnswerFigures, which: 'median' | 'p95'): string =>
  tokens === null ? NONE : `${numberText(tokens[which])} tokens`;

/** Next to what is served: what the release's evaluation had. */
function evaluatedText(
  evaluated: AnswerFigures,
  text: (figures: AnswerFigures) => string,
): string | undefined {
  const found = text(evaluated);
  return found === NONE ? undefined : `${found} in evaluation`;
}

/** With the same axes as those of the other releases, so that they can be compared at a glance. */
function charts({ points }: ReleaseTraffic, { releases, cell }: DashboardData): Markup {
  const all = releases.filter(({ role }) => role !== 'past').flatMap((each) => each.points);
  const most = (values: readonly (number | null)[]): number =>
    values.reduce<number>((found, value) => Math.max(found, value ?? 0), 0);
  const minutes = Math.round((cell * points.length) / 60);
  const of = (read: (point: ReleaseTraffic['points'][number]) => number | null) => points.map(read);
  if (points.length === 0) return html`<p class="soft">No requests yet.</p>`;
  return html`${lineChart(
    [
      { label: 'p50', values: of(({ p50 }) => p50) },
      { label: 'p95', values: of(({ p95 }) => p95) },
      { label: 'p99', values: of(({ p99 }) => p99) },
    ],
    { title: 'Latency', unit: 's (of 30 s)', most: most(all.map(({ p99 }) => p99)), minutes },
  )}${lineChart([{ label: 'tokens/s', values: of(({ tokensPerSecond }) => tokensPerSecond) }], {
    ...{ title: 'Answers', unit: 'tokens/s', minutes },
    most: most(all.map(({ tokensPerSecond }) => tokensPerSecond)),
  })}${lineChart(
    [
      { label: 'running', values: of(({ running }) => running) },
      { label: 'queue', values: of(({ waiting }) => waiting) },
    ],
    {
      ...{ title: 'Requests', unit: '', minutes },
      most: Math.max(1, most(all.map(({ running, waiting }) => Math.max(running, waiting)))),
    },
  )}${lineChart([{ label: 'errors', values: of(({ errors }) => errors) }], {
    ...{ title: 'Errors', unit: 'per 5 s', minutes },
    most: Math.max(1, most(all.map(({ errors }) => errors))),
  })}`;
}

function pastTable(past: readonly ReleaseTraffic[]): Markup {
  if (past.length === 0) return html``;
  return html`<h2>Earlier releases</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Earlier releases"><table>
<caption class="unseen">Totals of releases that get no requests any more</caption>
<thead><tr><th scope="col">release</th>${['requests', 'error rate', 'latency p50', 'p95', 'thumbs up', 'answer length', 'repetition'].map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr></thead>
<tbody>
${past.map(
  (each) => html`<tr><th scope="row">${each.release}</th>${[
    countText(each.requests),
    shareOf(each.errors, each.requests),
    secondsText(each.seconds.p50),
    secondsText(each.seconds.p95),
    shareOf(each.up, each.up + each.down),
    numberText(each.quality.tokens?.mean ?? null),
    shareText(each.quality.repetition),
  ].map((text) => html`<td class="n">${text}</td>`)}</tr>
`,
)}</tbody>
</table></div>
`;
}
