import type { RewardReport } from '../../../compute/evaluation/preference-pairs.js';
import type { ClassReport, EvaluationReport, Interval, Sample } from '../../../compute/evaluation/report.js';
import { html, type Markup, nothing } from '../../../language/source/markup.js';
import { numberText } from '../../../pipeline/planner/quantities.js';
import { left, prose, right, table } from '../html/page.js';
import { metricText } from '../metric-text.js';
import type { ReportInput } from './input.js';

/** Tuned next to baseline, with intervals, and answers to look at. */
export function evaluation({ evaluations }: ReportInput): Markup {
  const names = Object.keys(evaluations);
  if (names.length === 0) return nothing;
  return html`<h2>Evaluation</h2>
${names.map((name) => html`<h3>${name}</h3>${one(evaluations[name])}`)}`;
}

function one(report: EvaluationReport | undefined): Markup {
  if (report === undefined) return nothing;
  const names = Object.keys(report.metrics) as (keyof EvaluationReport['metrics'])[];
  const compared = report.baselineModel !== null;
  const columns = [
    'rows',
    'tuned',
    INTERVAL,
    ...(compared ? ['baseline', INTERVAL, 'difference', INTERVAL, 'better'] : []),
  ];
  return html`<p class="soft">${report.model.label}${report.baselineModel === null ? '' : ` next to ${report.baselineModel.label}`}: ${report.rows} rows, ${whatOf(report)}.</p>
${table(
  'Metrics',
  [...left('metric'), ...right(...columns)],
  names.map((name) => {
    const difference = report.differences[name];
    return [
      name.replaceAll('_', ' '),
      number(report.counted[name]),
      html`<b>${figure(name, report.metrics[name])}</b>`,
      range(name, report.intervals[name]),
      ...(compared
        ? [
            figure(name, report.baseline[name]),
            range(name, report.baselineIntervals[name]),
            figure(name, difference?.value),
            range(name, difference && [difference.low, difference.high]),
            verdict(report, name),
          ]
        : []),
    ];
  }),
)}
${gates(report)}
${groups(report)}
${report.classes === undefined ? nothing : classes(report.classes)}
${rewards(report)}
${report.samples.length === 0 ? nothing : html`<h4>Answers</h4>`}${report.samples.map(sample)}`;
}

/** The metrics of each kind of row, as of each category of prompts. */
function groups({ groups: found = {}, baselineModel }: EvaluationReport): Markup {
  const kinds = Object.entries(found);
  if (kinds.length === 0) return nothing;
  const compared = baselineModel !== null;
  const columns = ['rows', 'tuned', INTERVAL, ...(compared ? ['baseline', INTERVAL] : [])];
  return html`<h4>By kind of row</h4>
${table(
  'By kind of row',
  [...left('kind', 'metric'), ...right(...columns)],
  kinds.flatMap(([kind, { rows, metrics, baseline, intervals, baselineIntervals }]) =>
    (Object.keys(metrics) as (keyof EvaluationReport['metrics'])[]).map((name) => [
      kind,
      name.replaceAll('_', ' '),
      rows,
      figure(name, metrics[name]),
      range(name, intervals?.[name]),
      ...(compared ? [figure(name, baseline[name]), range(name, baselineIntervals?.[name])] : []),
    ]),
  ),
)}`;
}

/** Whether the paired interval leaves out 0. */
function verdict({ gains }: EvaluationReport, name: keyof EvaluationReport['metrics']): string {
  const [low, high] = [gains?.gain_low[name], gains?.gain_high[name]];
  if (low === undefined || high === undefined) return '';
  return low > 0 ? 'yes' : high < 0 ? 'no: worse' : 'may be chance';
}

const INTERVAL = '95\u00a0% interval';

/** What was made of the rows. */
const whatOf = ({
  classes: found,
  rewards: paired,
  tokens,
  answered,
  generation,
}: EvaluationReport): string =>
  found !== undefined
    ? `${found.labels.length} labels`
    : paired !== undefined
      ? `two answers each, ${tokens} tokens`
      : `${tokens} supervised tokens, ${answered} answers${howAnswered(generation)}`;

/** What the answers of pairs get on average, and of what. */
function rewards({ rewards: found, model, baselineModel }: EvaluationReport): Markup {
  if (found === undefined) return nothing;
  const line = (who: string, { reward, chosen, rejected }: RewardReport) => [
    who,
    reward,
    ...[chosen, rejected, chosen - rejected].map(number),
  ];
  return html`<h4>Rewards</h4>
${table(
  'Rewards',
  [...left('model', 'reward'), ...right('chosen', 'rejected', 'margin')],
  [
    line(model.label, found.model),
    ...(found.baseline && baselineModel ? [line(baselineModel.label, found.baseline)] : []),
  ],
)}`;
}

/** Nobody reads a wider table. */
const MOST_COLUMNS = 24;

/** Precision and recall of every label, and which labels are taken for which. */
const classes = ({ labels, scores, confusion }: ClassReport): Markup => html`<h4>Labels</h4>
${table(
  'Labels',
  [...left('label'), ...right('rows', 'given', 'precision', 'recall', 'F1')],
  scores.map(({ rows, predicted, precision, recall, f1 }, label) => [
    labels[label] ?? '',
    rows,
    predicted,
    ...[precision, recall, f1].map(number),
  ]),
)}
${
  confusion === undefined || labels.length > MOST_COLUMNS
    ? nothing
    : html`<h4>Confusion matrix</h4>
${table(
  'Confusion matrix',
  [...left('label ↓ given →'), ...right(...labels)],
  confusion.map((row, label) => [
    labels[label] ?? '',
    ...row.map((count, given) => (given === label ? html`<b>${count}</b>` : count)),
  ]),
  { isGrid: true },
)}`
}`;

const gates = ({ requires }: EvaluationReport): Markup =>
  requires.length === 0
    ? nothing
    : html`<ul>${requires.map(({ require, holds, sentence }) => html`<li><b class="${holds ? 'holds' : 'failed'}">${holds ? 'holds' : 'does not hold'}</b> <code>${require}</code> <span class="soft">${prose(sentence)}</span></li>`)}</ul>`;

const number = (value: number | undefined): string => (value === undefined ? '' : numberText(value));
const figure = (name: string, value: number | undefined): string =>
  value === undefined ? '' : metricText(name, value);

/** Of an end that is nothing next to the other, rounding left something: it is 0. */
const range = (name: string, interval: Interval | undefined): string => {
  if (interval === undefined) return '';
  const most = Math.max(...interval.map(Math.abs));
  const ends = interval.map((end) => (Math.abs(end) < 1e-12 * most ? 0 : end));
  return ends.map((end) => metricText(name, end)).join(ends.some((end) => end < 0) ? ' to ' : ' – ');
};

const sample = ({ prompt, reference, baseline, answer }: Sample): Markup => {
  const said = (who: string, text: string): Markup =>
    html`<div><dt>${who}</dt><dd><pre>${text}</pre></dd></div>`;
  return html`<dl class="sample">${said('asked', prompt)}
${said('reference', reference)}
${baseline === undefined ? nothing : said('before', baseline)}
${said('after', answer)}</dl>
`;
};

/** `, the likeliest token each time, of at most 64 tokens` */
function howAnswered(generation: EvaluationReport['generation']): string {
  if (generation === undefined) return '';
  const { maxTokens, sampling, repetitionPenalty, stop } = generation;
  const cuts = [
    sampling?.topK === undefined ? [] : `top-k ${sampling.topK}`,
    sampling?.topP === undefined ? [] : `top-p ${sampling.topP}`,
    sampling?.minP === undefined ? [] : `min-p ${sampling.minP}`,
  ].flat();
  return [
    '',
    sampling === undefined
      ? 'the likeliest token each time'
      : [`drawn at temperature ${sampling.temperature}`, ...cuts, `seed ${sampling.seed}`].join(', '),
    `of at most ${maxTokens} tokens`,
    ...(repetitionPenalty === undefined ? [] : [`with a repetition penalty of ${repetitionPenalty}`]),
    ...(stop === undefined ? [] : [`up to ${stop.map((text) => JSON.stringify(text)).join(' or ')}`]),
  ].join(', ');
}
