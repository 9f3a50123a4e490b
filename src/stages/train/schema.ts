import { defaulted, type Infer, optional, type Port, required, type StageSchema, t } from '../schema.js';

/** The linear projections of a decoder block, by their Hugging Face names. */
export const PROJECTIONS = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
] as const;

const lora = t.record({
  rank: defaulted(t.integer({ min: 1, max: 1024 }), 16, 'Rank of the two low-rank factors.'),
  alpha: defaulted(t.number({ above: 0 }), 32, 'The update is scaled by alpha ÷ rank.'),
  dropout: defaulted(
    t.quantity('ratio', { min: 0, max: 0.9 }),
    0,
    'Share of the adapter inputs set to zero in training.',
  ),
  targets: defaulted(
    t.union(t.enum('all_linear', 'attention', 'query_value'), t.list(t.enum(...PROJECTIONS))),
    'all_linear',
    'Projections that get an adapter: a named set, or a list.',
  ),
});

const batch = t.record({
  global: defaulted(t.integer({ min: 1 }), 16, 'Rows of one optimiser step.'),
  micro: optional(
    t.integer({ min: 1 }),
    'Rows that are computed at one time. Left out: the planner chooses.',
  ),
});

const stop = t.record({
  epochs: defaulted(t.number({ above: 0 }), 3, 'Passes over the rows.'),
  steps: optional(t.integer({ min: 1 }), 'Optimiser steps at most.'),
  patience: optional(t.integer({ min: 1 }), 'Validations without a better loss before training ends.'),
  wall: optional(t.quantity('seconds', { min: 1 }), 'Time at most; the best checkpoint so far is kept.'),
});

const checkpoint = t.record({
  every: defaulted(
    t.quantity('steps', { min: 1 }),
    50,
    'Optimiser steps between two checkpoints and validations.',
  ),
  keep: defaulted(t.integer({ min: 1 }), 2, 'Checkpoints kept while training runs.'),
});

const settings = {
  base: required(t.union(t.call('model'), t.port('Model')), 'The model that is trained.'),
  dataset: required(t.port('Dialogs'), 'Rows to train on.'),
  validate: optional(t.port('Dialogs'), 'Rows to watch training on: best checkpoint and early stopping.'),
  lora: defaulted(lora, {}, 'Shape of the adapter.'),
  optimizer: required(t.call('optimizer'), 'How gradients become updates.'),
  batch: defaulted(batch, {}, 'Rows of a step.'),
  stop: defaulted(stop, {}, 'When training ends.'),
  checkpoint: defaulted(checkpoint, {}, 'How often the state is kept.'),
  fallback: defaulted(
    t.list(t.call('fallback')),
    [],
    'What the planner may change when it does not fit, in this order.',
  ),
  order: defaulted(t.enum('shuffled', 'file', 'by_length'), 'shuffled', 'Order of the rows.'),
  seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of initialisation, order and dropout.'),
} as const;

export type TrainSettings = Infer<typeof settings>;

const adapter = (doc: string): Port => ({ type: 'Adapter', doc, typeUsing: { full: 'Model' } });

export const trainSchema: StageSchema = {
  kind: 'train',
  doc: 'Fine-tunes a base: an adapter over frozen weights (`using lora`, or `qlora` over a 4-bit base), or every weight (`using full`).',
  presets: ['lora', 'qlora', 'full'],
  settings,
  ports: {
    best: adapter('The checkpoint with the lowest validation loss.'),
    last: adapter('The state after the last step.'),
  },
  metrics: {
    loss: { doc: 'Training loss of the last step, in nats a token.', unit: 'number', known: 'run' },
    valid_loss: { doc: 'Lowest validation loss, in nats a token.', unit: 'number', known: 'run' },
    steps: { doc: 'Optimiser steps taken.', unit: 'steps', known: 'run' },
    tokens_per_second: { doc: 'Tokens trained on in a second.', unit: 'number', known: 'run' },
  },
};
