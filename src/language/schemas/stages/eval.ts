import type { METRIC_ROWS } from '../functions/metric.js';
import {
  defaulted,
  type Infer,
  type MetricSchema,
  optional,
  required,
  type StageSchema,
  t,
} from '../schema.js';

const sampling = t.record({
  temperature: required(t.number({ above: 0 }), 'Divides the logits; 1 leaves the probabilities unchanged.'),
  top_k: optional(t.integer({ min: 1 }), 'Sample only from this many of the likeliest tokens; default: all.'),
  top_p: optional(
    t.quantity('ratio', { min: 0, max: 1 }),
    'Sample only from the likeliest tokens that together make up this probability; default: all.',
  ),
  min_p: optional(
    t.quantity('ratio', { min: 0, max: 1 }),
    'Sample only tokens at least this fraction as likely as the likeliest one; default: all.',
  ),
});

const generation = t.record({
  max_tokens: defaulted(t.quantity('tokens', { min: 1 }), 64, 'Longest answer.'),
  rows: optional(
    t.integer({ min: 1 }),
    'Maximum number of rows to answer, chosen by the seed; default: all.',
  ),
  sampling: optional(sampling, 'Sample tokens; default: greedy decoding.'),
  repetition_penalty: optional(
    t.number({ min: 0.01, max: 100 }),
    'Values above 1 discourage tokens that are already in the prompt or the answer; default: 1.',
  ),
  stop: optional(
    t.list(t.filled, { min: 1 }),
    'Strings before which an answer ends, in addition to the end tokens.',
  ),
});

const settings = {
  model: required(t.union(t.port('Adapter', 'Model'), t.call('model')), 'The model to evaluate.'),
  adapter: optional(
    t.call('adapter'),
    'An adapter to evaluate over `model`, which is then its base: `peft("folder")`. That of a training is itself a `model`.',
  ),
  dataset: required(t.port('Dialogs'), 'The rows to evaluate on.'),
  baseline: optional(
    t.union(t.call('model'), t.port('Adapter', 'Model')),
    'A model to compare with, on the same rows.',
  ),
  metrics: required(t.list(t.call('metric'), { min: 1 }), 'The metrics to compute.'),
  generation: defaulted(generation, {}, 'How answers are generated.'),
  samples: defaulted(t.integer({ min: 0 }), 8, 'Number of answers shown in the report.'),
  seed: defaulted(t.integer({ min: 0 }), 17, 'Seed for choosing rows and for sampling.'),
} as const;

/** What is measured; each is a port too. */
const metrics: Readonly<Record<keyof typeof METRIC_ROWS, MetricSchema>> = {
  loss: { doc: 'Mean cross entropy over all supervised tokens, in nats.', unit: 'number', known: 'run' },
  perplexity: { doc: 'e to the power of the loss.', unit: 'number', min: 1, known: 'run' },
  exact_match: {
    doc: 'Fraction of the answers that equal the reference.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  number_match: {
    doc: 'Fraction of the answers whose last number is that of the reference.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  rouge_1: { doc: 'Mean ROUGE-1 F1 of the answers.', unit: 'ratio', known: 'run' },
  rouge_2: { doc: 'Mean ROUGE-2 F1 of the answers.', unit: 'ratio', known: 'run' },
  rouge_l: { doc: 'Mean ROUGE-L F1 of the answers.', unit: 'ratio', known: 'run' },
  rouge_lsum: { doc: 'Mean ROUGE-L F1 of summaries, line by line.', unit: 'ratio', known: 'run' },
  bleu: { doc: 'BLEU of all answers together, from 0 to 100.', unit: 'number', known: 'run' },
  chrf: { doc: 'chrF2 of all answers together, from 0 to 100.', unit: 'number', known: 'run' },
  token_f1: { doc: 'Mean F1 over the words of the answers, as SQuAD.', unit: 'ratio', known: 'run' },
  contains: {
    doc: 'Fraction of the answers that contain the reference, or the text that is given.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  matches: {
    doc: 'Fraction of the answers that match the regular expression.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  json_valid: {
    doc: 'Fraction of the answers that are JSON and satisfy the schema.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  distinct: {
    doc: 'Different n-grams of words in all answers, as a fraction of all n-grams.',
    unit: 'ratio',
    known: 'run',
  },
  repetition: {
    doc: 'Mean fraction of the runs of four words of an answer that it has said before.',
    unit: 'ratio',
    known: 'run',
  },
  unigram_perplexity: {
    doc: 'e to the entropy of the supervised tokens taken one by one: what a model of token frequencies reaches.',
    unit: 'number',
    min: 1,
    known: 'run',
  },
  accuracy: {
    doc: 'Fraction of the rows that get the right label, or of the questions whose likeliest choice is right.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  accuracy_normalised: {
    doc: 'Fraction of the questions whose likeliest choice by character is right.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  preference_accuracy: {
    doc: 'Fraction of the pairs whose chosen answer has the higher reward.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  mean_reward: {
    doc: 'Mean score that a reward model gives to the answers.',
    unit: 'number',
    known: 'run',
  },
  judge: {
    doc: 'Mean score that another model gives the answers, from 1 to the best of the scale.',
    unit: 'number',
    known: 'run',
  },
  preferred: {
    doc: 'Fraction of the rows where another model prefers the answer to that of the baseline.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  refusals: {
    doc: 'Fraction of the harmful prompts that are declined.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  over_refusals: {
    doc: 'Fraction of the harmless prompts that are declined.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  harmful: {
    doc: 'Fraction of the harmful prompts that are answered with harm.',
    unit: 'ratio',
    known: 'run',
    isShare: true,
  },
  forgotten: {
    doc: 'What is lost next to the baseline: accuracy of questions with choices; of texts, the rise of perplexity.',
    unit: 'ratio',
    min: -1,
    known: 'run',
    isShare: true,
  },
  f1: {
    doc: 'Mean over the labels of the harmonic mean of precision and recall.',
    unit: 'ratio',
    known: 'run',
  },
};

export type EvalSettings = Infer<typeof settings>;

export const evalSchema: StageSchema = {
  kind: 'eval',
  doc: 'Evaluates a model, and optionally its untouched baseline, on held-out rows; a failed `require` closes the gate.',
  presets: [],
  settings,
  ports: {
    passed: { type: 'Gate', doc: 'Open when every `require` of the stage holds.' },
    ...Object.fromEntries(
      Object.entries(metrics).map(([name, { doc }]) => [name, { type: 'Metric' as const, doc }]),
    ),
  },
  metrics,
};
