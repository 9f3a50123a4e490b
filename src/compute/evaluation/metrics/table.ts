import { macroF1 } from './classes.js';
import { bleu, type CorpusScore, chrf } from './corpus-scores.js';
import { firstMatch, lastNumber, sameExtracted } from './extracted.js';
import { lostShare } from './forgotten.js';
import { pythonStrip } from './python-text.js';
import { isHarmful, isRefusal } from './refusals.js';
import { distinctShare, repeatedShare } from './repetition.js';
import { type RougeScore, rougeL, rougeLsum, rougeN } from './rouge.js';
import { tokenF1 } from './squad.js';
import type { MeasuredRow, Metric, MetricArgs, MetricName } from './types.js';

const everyRow = (): boolean => true;
const same = (mean: number): number => mean;

const mean = { counts: everyRow, finish: same, interval: 'bootstrap' } as const;

/** Mean over all supervised tokens, not over rows: a short row weighs less than a long one. */
const loss: Metric = {
  ...mean,
  needs: 'loss',
  part: () => (row) => ({ sum: row.lossSum, weight: row.tokens }),
  higherIsBetter: false,
};

/** Rows that are right or wrong: each is asked whether it is right. */
const share = (isRight: (args: MetricArgs) => (row: MeasuredRow) => boolean): Omit<Metric, 'needs'> => ({
  counts: everyRow,
  part(args) {
    const judge = isRight(args);
    return (row) => ({ sum: judge(row) ? 1 : 0, weight: 1 });
  },
  finish: same,
  interval: 'wilson',
  higherIsBetter: true,
});

/** The mean over the answers of what each is worth. */
const meanOf = (worth: (args: MetricArgs) => (row: MeasuredRow, answer: string) => number): Metric => ({
  ...mean,
  needs: 'answer',
  part(args) {
    const worthOf = worth(args);
    return (row) => ({ sum: worthOf(row, row.answer ?? ''), weight: 1 });
  },
  higherIsBetter: true,
});

const rouge = (score: RougeScore): Metric =>
  meanOf(
    ({ stemmer }) =>
      ({ reference }, answer) =>
        score(reference, answer, stemmer === true),
  );

/** Measured of all rows together: every row counts, and has no value of its own. */
const ofAllRows = { counts: everyRow, part: () => () => ({ sum: 0, weight: 1 }), finish: same } as const;

const corpus = ({ width, counts, score }: CorpusScore): Metric => ({
  ...ofAllRows,
  needs: 'answer',
  interval: 'bootstrap',
  statistic(rows) {
    const own = rows.map(({ reference, answer = '' }) => counts(reference, answer));
    return (draws) => {
      const sums = new Float64Array(width);
      for (const [row, values] of own.entries()) {
        const times = draws?.[row] ?? 1;
        if (times > 0) for (const [at, value] of values.entries()) sums[at] = (sums[at] ?? 0) + times * value;
      }
      return score(sums);
    };
  },
  higherIsBetter: true,
});

/** Of texts in lower case where that is asked for. */
const cased = (text: string, { ignore_case }: MetricArgs): string =>
  ignore_case === true ? text.toLowerCase() : text;

/** The mean of what a judge says; rows of which it said nothing do not count. */
const judgedAs = (name: MetricName): Metric => ({
  ...mean,
  needs: 'answer',
  part: () => (row) => {
    const said = row.judged?.[name];
    return { sum: said ?? 0, weight: said === undefined ? 0 : 1 };
  },
  higherIsBetter: true,
});

/** Rows that are not marked as harmless. */
const asksHarm: Metric['counts'] = ({ asksHarm: asks }) => asks !== false;

const declined: Metric = {
  ...share(
    () =>
      ({ answer = '' }) =>
        isRefusal(answer),
  ),
  needs: 'answer',
};

/** What an evaluation can measure. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  loss,
  perplexity: { ...loss, finish: Math.exp },
  exact_match: {
    ...share(({ extract }) => {
      if (typeof extract !== 'string')
        return ({ answer = '', reference }) => pythonStrip(answer) === pythonStrip(reference);
      const pattern = new RegExp(extract, 'u');
      return ({ answer = '', reference }) =>
        sameExtracted(answer, reference, (text) => firstMatch(text, pattern));
    }),
    needs: 'answer',
    counts: (row, args) => typeof args['up_to'] !== 'number' || row.referenceTokens <= args['up_to'],
  },
  number_match: {
    ...share(
      () =>
        ({ answer = '', reference }) =>
          sameExtracted(answer, reference, lastNumber),
    ),
    needs: 'answer',
  },
  rouge_1: rouge(rougeN(1)),
  rouge_2: rouge(rougeN(2)),
  rouge_l: rouge(rougeL),
  rouge_lsum: rouge(rougeLsum),
  bleu: corpus(bleu),
  chrf: corpus(chrf),
  token_f1: meanOf(
    () =>
      ({ reference }, answer) =>
        tokenF1(reference, answer),
  ),
  contains: {
    ...share((args) => ({ answer = '', reference }) => {
      const text = typeof args['text'] === 'string' ? args['text'] : pythonStrip(reference);
      return cased(answer, args).includes(cased(text, args));
    }),
    needs: 'answer',
  },
  matches: {
    ...share((args) => {
      const pattern = new RegExp(String(args['pattern']), args['ignore_case'] === true ? 'iu' : 'u');
      return ({ answer = '' }) => pattern.test(answer);
    }),
    needs: 'answer',
  },
  json_valid: {
    ...share(
      () =>
        ({ isValidJson }) =>
          isValidJson === true,
    ),
    needs: 'answer',
  },
  distinct: {
    ...ofAllRows,
    needs: 'answer',
    // a resample repeats rows, and with them every n-gram
    interval: 'jackknife',
    statistic: (rows, { n }) =>
      distinctShare(
        rows.map(({ answer = '' }) => answer),
        Number(n),
      ),
    higherIsBetter: true,
  },
  repetition: { ...meanOf(() => (_, answer) => repeatedShare(answer)), higherIsBetter: false },
  // The entropy of the shares is the mean cross entropy of a model that gives every token its share.
  unigram_perplexity: {
    ...mean,
    needs: 'labels',
    part: () => (row) => ({ sum: row.unigramSum, weight: row.tokens }),
    finish: Math.exp,
    higherIsBetter: false,
  },
  accuracy: {
    ...share(
      () =>
        ({ classes }) =>
          classes?.truth === classes?.predicted,
    ),
    needs: 'classes',
  },
  accuracy_normalised: {
    ...share(
      () =>
        ({ classes }) =>
          classes?.truth === classes?.normalised,
    ),
    needs: 'classes',
  },
  preference_accuracy: {
    ...share(
      () =>
        ({ rewards: [chosen, rejected] = [0, 0] }) =>
          chosen > rejected,
    ),
    needs: 'rewards',
  },
  mean_reward: judgedAs('mean_reward'),
  judge: judgedAs('judge'),
  preferred: judgedAs('preferred'),
  refusals: { ...declined, counts: asksHarm },
  over_refusals: { ...declined, counts: ({ asksHarm: asks }) => asks === false, higherIsBetter: false },
  harmful: {
    ...share(
      () =>
        ({ request = '', answer = '', judged }) =>
          judged?.harmful === undefined ? isHarmful(request, answer) : judged.harmful === 1,
    ),
    needs: 'answer',
    counts: asksHarm,
    higherIsBetter: false,
  },
  forgotten: {
    ...ofAllRows,
    needs: 'loss',
    interval: 'bootstrap',
    statistic: lostShare,
    higherIsBetter: false,
  },
  f1: {
    ...ofAllRows,
    needs: 'classes',
    interval: 'bootstrap',
    statistic: macroF1,
    higherIsBetter: true,
  },
};

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(metrics, name);
