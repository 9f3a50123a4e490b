import { macroF1 } from './classes.js';
import { pythonStrip, rougeL } from './texts.js';
import type { MeasuredRow, Metric, MetricName } from './types.js';

const everyRow = (): boolean => true;
const same = (mean: number): number => mean;

const mean = { counts: everyRow, finish: same, interval: 'bootstrap' } as const;

/** Mean over all supervised tokens, not over rows: a short row weighs less than a long one. */
const loss: Metric = {
  ...mean,
  needs: 'loss',
  part: (row) => ({ sum: row.lossSum, weight: row.tokens }),
  higherIsBetter: false,
};

/** Rows that are right or wrong: each is asked whether it is right. */
const share = (isRight: (row: MeasuredRow) => boolean): Omit<Metric, 'needs'> => ({
  counts: everyRow,
  part: (row) => ({ sum: isRight(row) ? 1 : 0, weight: 1 }),
  finish: same,
  interval: 'wilson',
  higherIsBetter: true,
});

/** What an evaluation can measure. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  loss,
  perplexity: { ...loss, finish: Math.exp },
  exact_match: {
    ...share(({ answer = '', reference }) => pythonStrip(answer) === pythonStrip(reference)),
    needs: 'answer',
    counts: (row, args) => typeof args['up_to'] !== 'number' || row.referenceTokens <= args['up_to'],
  },
  rouge_l: {
    ...mean,
    needs: 'answer',
    part: (row) => ({ sum: rougeL(row.reference, row.answer ?? ''), weight: 1 }),
    higherIsBetter: true,
  },
  // The entropy of the shares is the mean cross entropy of a model that gives every token its share.
  unigram_perplexity: {
    ...mean,
    needs: 'labels',
    part: (row) => ({ sum: row.unigramSum, weight: row.tokens }),
    finish: Math.exp,
    higherIsBetter: false,
  },
  accuracy: { ...share(({ classes }) => classes?.truth === classes?.predicted), needs: 'classes' },
  f1: {
    ...mean,
    needs: 'classes',
    part: () => ({ sum: 0, weight: 1 }),
    statistic: macroF1,
    higherIsBetter: true,
  },
};

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(metrics, name);
