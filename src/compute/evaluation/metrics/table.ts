import { macroF1 } from './classes.js';
import { pythonStrip, rougeL } from './texts.js';
import type { Metric, MetricName } from './types.js';

const everyRow = (): boolean => true;
const same = (mean: number): number => mean;

/** Mean over all supervised tokens, not over rows: a short row weighs less than a long one. */
const loss: Metric = {
  needs: 'loss',
  counts: everyRow,
  part: (row) => ({ sum: row.lossSum, weight: row.tokens }),
  finish: same,
  interval: 'bootstrap',
  higherIsBetter: false,
};

/** What an evaluation can measure. */
export const metrics: Readonly<Record<MetricName, Metric>> = {
  loss,
  perplexity: { ...loss, finish: Math.exp },
  exact_match: {
    needs: 'answer',
    counts: (row, args) => typeof args['up_to'] !== 'number' || row.referenceTokens <= args['up_to'],
    part: (row) => ({
      sum: pythonStrip(row.answer ?? '') === pythonStrip(row.reference) ? 1 : 0,
      weight: 1,
    }),
    finish: same,
    interval: 'wilson',
    higherIsBetter: true,
  },
  rouge_l: {
    needs: 'answer',
    counts: everyRow,
    part: (row) => ({ sum: rougeL(row.reference, row.answer ?? ''), weight: 1 }),
    finish: same,
    interval: 'bootstrap',
    higherIsBetter: true,
  },
  // The entropy of the shares is the mean cross entropy of a model that gives every token its share.
  unigram_perplexity: {
    needs: 'labels',
    counts: everyRow,
    part: (row) => ({ sum: row.unigramSum, weight: row.tokens }),
    finish: Math.exp,
    interval: 'bootstrap',
    higherIsBetter: false,
  },
  accuracy: {
    needs: 'classes',
    counts: everyRow,
    part: ({ classes }) => ({ sum: classes?.truth === classes?.predicted ? 1 : 0, weight: 1 }),
    finish: same,
    interval: 'wilson',
    higherIsBetter: true,
  },
  f1: {
    needs: 'classes',
    counts: everyRow,
    part: () => ({ sum: 0, weight: 1 }),
    finish: same,
    interval: 'bootstrap',
    statistic: macroF1,
    higherIsBetter: true,
  },
};

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(metrics, name);
}
