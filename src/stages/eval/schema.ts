import { defaulted, type Infer, optional, required, type StageSchema, t } from '../schema.js';

const sampling = t.record({
  temperature: required(
    t.number({ above: 0 }),
    'What logits are divided by; 1 leaves the probabilities as they are.',
  ),
  top_k: optional(t.integer({ min: 1 }), 'Only this many of the likeliest tokens. Left out: all.'),
  top_p: optional(
    t.quantity('ratio', { min: 0, max: 1 }),
    'Only the likeliest tokens that make up this share. Left out: all.',
  ),
  min_p: optional(
    t.quantity('ratio', { min: 0, max: 1 }),
    'Only tokens at least this share as likely as the likeliest. Left out: all.',
  ),
});

const generation = t.record({
  max_tokens: defaulted(t.quantity('tokens', { min: 1 }), 64, 'Longest answer.'),
  rows: optional(t.integer({ min: 1 }), 'Rows that are answered, chosen by the seed. Left out: all.'),
  sampling: optional(sampling, 'Draws tokens by their probability. Left out: the likeliest one each time.'),
  repetition_penalty: optional(
    t.number({ min: 0.01, max: 100 }),
    'Above 1 discourages tokens that stand in the prompt or the answer already. Left out: 1.',
  ),
  stop: optional(
    t.list(t.filled, { min: 1 }),
    'Texts before which an answer ends, beside the tokens that end it anyway.',
  ),
});

const settings = {
  model: required(t.union(t.port('Adapter', 'Model'), t.call('model')), 'What is evaluated.'),
  dataset: required(t.port('Dialogs'), 'The rows that it is evaluated on.'),
  baseline: optional(
    t.union(t.call('model'), t.port('Model')),
    'What it is compared with, on the same rows.',
  ),
  metrics: required(t.list(t.call('metric'), { min: 1 }), 'What is measured.'),
  generation: defaulted(generation, {}, 'How answers are generated.'),
  samples: defaulted(t.integer({ min: 0 }), 8, 'Answers that the report shows.'),
  seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of the choice of rows, and of draws.'),
} as const;

export type EvalSettings = Infer<typeof settings>;
export type GenerationSettings = EvalSettings['generation'];

export const evalSchema: StageSchema = {
  kind: 'eval',
  doc: 'Measures a model on rows that it was not trained on, beside an untouched baseline; a failed `require` closes the gate.',
  presets: [],
  settings,
  ports: {
    passed: { type: 'Gate', doc: 'Open when every `require` of the stage holds.' },
    loss: { type: 'Metric', doc: 'Mean cross entropy over all supervised tokens, in nats.' },
    perplexity: { type: 'Metric', doc: 'e to the loss.' },
    exact_match: { type: 'Metric', doc: 'Share of the answers that equal the reference.' },
    rouge_l: { type: 'Metric', doc: 'Mean ROUGE-L F1 of the answers.' },
    accuracy: { type: 'Metric', doc: 'Share of the rows that are given their label.' },
    f1: { type: 'Metric', doc: 'Mean F1 of the labels.' },
  },
  metrics: {
    loss: { doc: 'Mean cross entropy over all supervised tokens, in nats.', unit: 'number', known: 'run' },
    perplexity: { doc: 'e to the loss.', unit: 'number', min: 1, known: 'run' },
    exact_match: { doc: 'Share of the answers that equal the reference.', unit: 'ratio', known: 'run' },
    rouge_l: { doc: 'Mean ROUGE-L F1 of the answers.', unit: 'ratio', known: 'run' },
    unigram_perplexity: {
      doc: 'e to the entropy of the supervised tokens taken one by one: what a model that knows only frequencies reaches.',
      unit: 'number',
      min: 1,
      known: 'run',
    },
    accuracy: { doc: 'Share of the rows that are given their label.', unit: 'ratio', known: 'run' },
    f1: {
      doc: 'Mean over the labels of the harmonic mean of precision and recall.',
      unit: 'ratio',
      known: 'run',
    },
  },
};
