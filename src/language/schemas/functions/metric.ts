import { type FunctionSchema, optional, t } from '../schema.js';

/** What an evaluation measures. */
export const metrics = {
  loss: {
    family: 'metric',
    doc: 'Mean cross entropy over all supervised tokens, or over the labels of rows, in nats.',
    positional: [],
    args: {},
  },
  perplexity: { family: 'metric', doc: 'e to the power of the loss.', positional: [], args: {} },
  exact_match: {
    family: 'metric',
    doc: 'Fraction of the answers that equal the reference, ignoring white space at the ends.',
    positional: [],
    args: {
      up_to: optional(
        t.quantity('tokens', { min: 1 }),
        'Counts only rows whose reference has at most this many tokens; default: all rows.',
      ),
    },
  },
  rouge_l: { family: 'metric', doc: 'Mean ROUGE-L F1 of the answers.', positional: [], args: {} },
  unigram_perplexity: {
    family: 'metric',
    doc: 'e to the power of the entropy of the supervised tokens, taken one by one: what word frequencies alone achieve.',
    positional: [],
    args: {},
  },
  accuracy: {
    family: 'metric',
    doc: 'For classifiers: fraction of the rows that get the right label.',
    positional: [],
    args: {},
  },
  f1: {
    family: 'metric',
    doc: 'For classifiers: macro F1, the mean over the labels of the harmonic mean of precision and recall.',
    positional: [],
    args: {},
  },
} as const satisfies Record<string, FunctionSchema>;

/** Which rows a metric is of: texts that a model continues with, labelled ones, or any. */
export const METRIC_ROWS = {
  loss: 'any',
  perplexity: 'texts',
  exact_match: 'texts',
  rouge_l: 'texts',
  unigram_perplexity: 'texts',
  accuracy: 'labels',
  f1: 'labels',
} as const satisfies Readonly<Record<keyof typeof metrics, string>>;

/** The metrics of rows with labels, or of those without. */
export const metricsOf = (rows: 'texts' | 'labels'): readonly string[] =>
  Object.entries(METRIC_ROWS).flatMap(([name, of]) => (of === 'any' || of === rows ? [name] : []));
