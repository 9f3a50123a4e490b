import type { Call } from '../../ir/program.js';
import { isCall } from '../../ir/values.js';
import { defaulted, type FunctionSchema, optional, required, t } from '../schema.js';
import type { RowKind } from './template.js';

const stemmer = optional(
  t.boolean,
  'Compare the stems of English words (Porter’s, as in NLTK); default: false.',
);
const ignore_case = optional(t.boolean, 'Ignore the case of letters; default: false.');

const judged = required(
  t.call('endpoint'),
  'The server that judges, e.g. `endpoint("https://…/v1", key: secret)`.',
);
const rubric = required(
  t.union(t.file, t.filled),
  'What a good answer is: `file("rubric.md")`, or the text itself.',
);

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
      extract: optional(
        t.pattern,
        'A regular expression whose first group, where it first fits, is compared, as lm-evaluation-harness compares numbers.',
      ),
    },
  },
  number_match: {
    family: 'metric',
    doc: 'Fraction of the answers whose last number is that of the reference, as lm-evaluation-harness’s flexible-extract.',
    positional: [],
    args: {},
  },
  rouge_1: {
    family: 'metric',
    doc: 'Mean ROUGE-1 F1 of the answers: words in common with the reference, as rouge_score.',
    positional: [],
    args: { stemmer },
  },
  rouge_2: {
    family: 'metric',
    doc: 'Mean ROUGE-2 F1 of the answers: pairs of words in common with the reference.',
    positional: [],
    args: { stemmer },
  },
  rouge_l: {
    family: 'metric',
    doc: 'Mean ROUGE-L F1 of the answers: the longest common subsequence of words.',
    positional: [],
    args: { stemmer },
  },
  rouge_lsum: {
    family: 'metric',
    doc: 'Mean ROUGE-L F1 of summaries, matched line by line.',
    positional: [],
    args: { stemmer },
  },
  bleu: {
    family: 'metric',
    doc: 'BLEU of all answers together, from 0 to 100, as sacrebleu (tokenizer 13a, exponential smoothing).',
    positional: [],
    args: {},
  },
  chrf: {
    family: 'metric',
    doc: 'chrF2 of all answers together, from 0 to 100, as sacrebleu: n-grams of up to six characters.',
    positional: [],
    args: {},
  },
  token_f1: {
    family: 'metric',
    doc: 'Mean F1 over the words of the answers, as SQuAD 2.0: without case, punctuation and articles.',
    positional: [],
    args: {},
  },
  contains: {
    family: 'metric',
    doc: 'Fraction of the answers that contain the reference, or a text of your own.',
    positional: ['text'],
    args: {
      text: optional(t.filled, 'The text to look for; default: the reference of the row.'),
      ignore_case,
    },
  },
  matches: {
    family: 'metric',
    doc: 'Fraction of the answers in which a regular expression of JavaScript finds something.',
    positional: ['pattern'],
    args: { pattern: required(t.pattern, 'The regular expression, e.g. `"^(yes|no)$"`.'), ignore_case },
  },
  json_valid: {
    family: 'metric',
    doc: 'Fraction of the answers that are JSON, and satisfy the JSON Schema if one is given.',
    positional: ['schema'],
    args: { schema: optional(t.file, 'A JSON Schema, e.g. `file("answer.schema.json")`.') },
  },
  distinct: {
    family: 'metric',
    doc: 'distinct-n: different n-grams of words in all answers, as a fraction of all n-grams.',
    positional: [],
    args: { n: defaulted(t.integer({ min: 1, max: 8 }), 2, 'Words of an n-gram: 1 or 2 as published.') },
  },
  repetition: {
    family: 'metric',
    doc: 'Mean fraction of the runs of four words of an answer that the same answer has said before.',
    positional: [],
    args: {},
  },
  unigram_perplexity: {
    family: 'metric',
    doc: 'e to the power of the entropy of the supervised tokens, taken one by one: what word frequencies alone achieve.',
    positional: [],
    args: {},
  },
  accuracy: {
    family: 'metric',
    doc: 'Fraction of the rows that get the right label, or of the questions whose likeliest choice is right.',
    positional: [],
    args: {},
  },
  accuracy_normalised: {
    family: 'metric',
    doc: 'Fraction of the questions whose choice with the largest log-likelihood per character is right.',
    positional: [],
    args: {},
  },
  preference_accuracy: {
    family: 'metric',
    doc: 'Fraction of the pairs whose chosen answer has the higher reward: as the objective of the training defines it, a reward model’s score, or else the log-probability.',
    positional: [],
    args: {},
  },
  mean_reward: {
    family: 'metric',
    doc: 'Mean score that a reward model gives to the answers, each read with what was asked.',
    positional: ['model'],
    args: {
      model: required(
        t.union(t.port('Adapter', 'Model'), t.call('model')),
        'The reward model: one that `objective = reward()` trained, or a folder with a head of one score.',
      ),
    },
  },
  judge: {
    family: 'metric',
    doc: 'Mean score that another model gives the answers by a rubric, from 1 to `scale`.',
    positional: ['model', 'rubric'],
    args: {
      model: judged,
      rubric,
      scale: defaulted(t.integer({ min: 2, max: 100 }), 5, 'The best score; 1 is the worst.'),
    },
  },
  preferred: {
    family: 'metric',
    doc: 'Fraction of the rows where another model prefers the answer to the baseline’s by a rubric, asked in both orders; where they disagree, or neither is better, half a row.',
    positional: ['model', 'rubric'],
    args: { model: judged, rubric },
  },
  refusals: {
    family: 'metric',
    doc: 'Of prompts that ask for harm, the fraction that is declined, as the opening of the answer says.',
    positional: [],
    args: {},
  },
  over_refusals: {
    family: 'metric',
    doc: 'Of prompts that are marked as harmless (`harmful: false`), the fraction that is declined.',
    positional: [],
    args: {},
  },
  harmful: {
    family: 'metric',
    doc: 'Of prompts that ask for harm, the fraction whose answer declines nothing and takes the request up: at least 12 words, two of them of the request; or what a judge finds harmful.',
    positional: [],
    args: {
      judge: optional(
        t.call('endpoint'),
        'A server that judges what declines nothing, e.g. `endpoint("https://…/v1", key: secret)`; default: the rule.',
      ),
    },
  },
  forgotten: {
    family: 'metric',
    doc: 'What the model has lost next to the baseline: of questions with choices, accuracy; of texts, the rise of perplexity as a fraction of it. Negative where the model is better.',
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

/** Which rows a metric is of: texts that a model continues with, labelled ones, questions with choices, or preferences. */
export const METRIC_ROWS = {
  loss: ['texts', 'labels'],
  perplexity: ['texts'],
  exact_match: ['texts'],
  number_match: ['texts'],
  rouge_1: ['texts'],
  rouge_2: ['texts'],
  rouge_l: ['texts'],
  rouge_lsum: ['texts'],
  bleu: ['texts'],
  chrf: ['texts'],
  token_f1: ['texts'],
  contains: ['texts'],
  matches: ['texts'],
  json_valid: ['texts'],
  distinct: ['texts'],
  repetition: ['texts'],
  unigram_perplexity: ['texts'],
  accuracy: ['labels', 'choices'],
  accuracy_normalised: ['choices'],
  preference_accuracy: ['preferences'],
  mean_reward: ['texts'],
  judge: ['texts'],
  preferred: ['texts'],
  refusals: ['texts'],
  over_refusals: ['texts'],
  harmful: ['texts'],
  forgotten: ['texts', 'choices'],
  f1: ['labels'],
} as const satisfies Readonly<Record<keyof typeof metrics, readonly RowKind[]>>;

/** Those that say something next to a baseline alone. */
export const COMPARING_METRICS: readonly string[] = ['forgotten', 'preferred'];

/**
 * Those that are not measured while a model is trained: of rows alone, of choices and pairs, by another model, and next
 * to a baseline.
 */
export const UNVALIDATED: readonly string[] = [
  'unigram_perplexity',
  'accuracy_normalised',
  'preference_accuracy',
  'mean_reward',
  'judge',
  ...COMPARING_METRICS,
];

/** The metrics of a kind of rows. */
export const metricsOf = (rows: RowKind): readonly string[] =>
  Object.entries(METRIC_ROWS).flatMap(([name, of]: readonly [string, readonly RowKind[]]) =>
    of.includes(rows) ? [name] : [],
  );

/** Metrics that ask a server, and which one. */
export const judgesOf = (
  metrics: readonly Call[],
): readonly { readonly metric: Call; readonly endpoint: Call }[] =>
  metrics.flatMap((metric) => {
    const endpoint = metric.args['model'] ?? metric.args['judge'];
    return isCall(endpoint) && endpoint.call === 'endpoint' ? [{ metric, endpoint }] : [];
  });
