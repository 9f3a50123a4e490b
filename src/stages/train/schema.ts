import type { Stage } from '../../ir/types.js';
import { defaulted, type Infer, optional, type Port, required, type StageSchema, t } from '../schema.js';
import { METHODS } from '../types.js';

/** Linear layers of the blocks of every family, by the last part of their paths. */
export const PROJECTIONS = [
  'q_proj',
  'k_proj',
  'v_proj',
  'o_proj',
  'gate_proj',
  'up_proj',
  'down_proj',
  'qkv_proj',
  'gate_up_proj',
  'c_attn',
  'c_proj',
  'c_fc',
  'query_key_value',
  'dense',
  'dense_h_to_4h',
  'dense_4h_to_h',
] as const;

export const TARGET_SETS = ['all_linear', 'attention', 'query_value'] as const;

const rank = t.integer({ min: 1, max: 1024 });
const alpha = t.number({ above: 0 });

const lora = t.record({
  rank: defaulted(rank, 16, 'Rank of the two low-rank factors.'),
  alpha: defaulted(alpha, 32, 'The update is scaled by alpha ÷ rank.'),
  dropout: defaulted(
    t.quantity('ratio', { min: 0, max: 0.9 }),
    0,
    'Share of the adapter inputs set to zero in training.',
  ),
  targets: defaulted(
    t.union(t.enum(...TARGET_SETS), t.list(t.union(t.enum(...PROJECTIONS), t.filled), { min: 1 })),
    'all_linear',
    'Linear layers that get an adapter: a set, or a list of names, ends of paths and whole paths.',
  ),
  rslora: defaulted(
    t.boolean,
    false,
    'Scale by alpha ÷ √rank instead: rank-stabilised LoRA, for high ranks (arXiv 2312.03732).',
  ),
  dora: defaulted(
    t.boolean,
    false,
    'Train the magnitude of each output apart from its direction: DoRA (arXiv 2402.09353).',
  ),
  layers: optional(
    t.list(t.integer({ min: 0 }), { min: 1 }),
    'Layers that get an adapter, counted from 0. Left out: all.',
  ),
  rank_pattern: optional(
    t.map(rank),
    'Other ranks for some of the layers, by the end of a path or a regular expression over it, as in PEFT.',
  ),
  alpha_pattern: optional(t.map(alpha), 'Other alphas, in the same way.'),
  modules_to_save: optional(
    t.list(t.enum('embed_tokens', 'lm_head'), { min: 1 }),
    'Embedding and head that are trained whole beside the adapter and saved with it, whatever the family calls them.',
  ),
  init: defaulted(
    t.enum('kaiming', 'gaussian', 'pissa'),
    'kaiming',
    'How the factors begin: A random and B 0; or the principal parts of the weights, with the rest frozen (PiSSA, arXiv 2404.02948).',
  ),
});

const prompt = t.record({
  tokens: defaulted(t.integer({ min: 1, max: 1024 }), 20, 'Virtual tokens before every text.'),
  init: defaulted(
    t.enum('random', 'vocabulary'),
    'random',
    'How their embeddings begin: normal with a deviation of 1, or as those of random tokens of the vocabulary.',
  ),
});

const prefix = t.record({
  tokens: defaulted(t.integer({ min: 1, max: 1024 }), 20, 'Virtual tokens before every text.'),
  projection: optional(
    t.integer({ min: 1 }),
    'Train two layers with so many units between them, which the keys and values are computed by, and save what they give.',
  ),
  init: defaulted(
    t.enum('random', 'zero'),
    'random',
    'How it begins: as torch begins embeddings and linear layers, or with keys and values of 0.',
  ),
});

const bottlenecks = t.record({
  kind: defaulted(
    t.enum('houlsby', 'pfeiffer', 'parallel'),
    'houlsby',
    'What each adapter reads: what the attention or the MLP gives (arXiv 1902.00751), that and the hidden states it is added to (arXiv 2005.00247), or these alone (arXiv 2110.04366).',
  ),
  where: optional(
    t.list(t.enum('attention', 'mlp'), { min: 1 }),
    'Parts of a block that have an adapter. Left out: both with `houlsby`, the MLP with the others.',
  ),
  reduction: optional(
    t.number({ above: 0 }),
    'Hidden size ÷ width of the bottleneck. Left out: 16, and 2 with `parallel`.',
  ),
  activation: optional(
    t.enum('relu', 'gelu', 'gelu_new', 'silu', 'sigmoid', 'tanh'),
    'Function between the two projections. Left out: silu with `houlsby`, relu with the others.',
  ),
  scaling: optional(
    t.number(),
    'What an adapter gives is multiplied by this. Left out: 1, and 4 with `parallel`.',
  ),
  dropout: defaulted(
    t.quantity('ratio', { min: 0, max: 0.9 }),
    0,
    'Share of what the adapters give that is set to zero in training.',
  ),
  layers: optional(
    t.list(t.integer({ min: 0 }), { min: 1 }),
    'Layers that have adapters, counted from 0. Left out: all.',
  ),
  init: optional(
    t.enum('bert', 'mam_adapter'),
    'How the weights begin: normal with a deviation of 0.02, or up-projections of 0, so that the model starts as its base. Left out: bert, and mam_adapter with `parallel`.',
  ),
});

const batch = t.record({
  global: defaulted(t.integer({ min: 1 }), 16, 'Rows of one optimiser step.'),
  micro: optional(
    t.integer({ min: 1 }),
    'Rows that are computed at one time, or under `packing` sequences. Left out: the planner chooses.',
  ),
  packing: defaulted(
    t.boolean,
    false,
    'Rows of a step share sequences of up to `max_length` tokens, none seeing another: the same losses with less padding.',
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
  dataset: required(t.port('Dialogs'), 'Rows to train on; labelled ones make a classifier of the base.'),
  validate: optional(t.port('Dialogs'), 'Rows to watch training on: best checkpoint and early stopping.'),
  lora: defaulted(lora, {}, 'Shape of the adapter.'),
  prompt: optional(
    prompt,
    'Prompt tuning: the embeddings of virtual tokens are trained instead of low-rank factors (arXiv 2104.08691).',
  ),
  prefix: optional(
    prefix,
    'Prefix tuning: keys and values of virtual tokens are trained in every layer instead of low-rank factors (arXiv 2101.00190).',
  ),
  adapter: optional(
    bottlenecks,
    'Bottleneck adapters: small networks after the attention and the MLP of the blocks are trained instead of low-rank factors.',
  ),
  start: optional(
    t.call('adapter'),
    'Go on from this adapter: rank, alpha, targets, rsLoRA, DoRA, layers and patterns are taken from it, or all that its bottlenecks are.',
  ),
  optimizer: required(t.call('optimizer'), 'How gradients become updates.'),
  neftune_noise_alpha: optional(
    t.number({ above: 0 }),
    'NEFTune: uniform noise on the embedded tokens, within α ÷ √(length · width), in training only (arXiv 2310.05914); 5 is usual.',
  ),
  batch: defaulted(batch, {}, 'Rows of a step.'),
  stop: defaulted(stop, {}, 'When training ends.'),
  checkpoint: defaulted(checkpoint, {}, 'How often the state is kept.'),
  fallback: defaulted(
    t.list(t.call('fallback')),
    [],
    'What the planner may change when it does not fit, in this order.',
  ),
  precision: defaulted(
    t.enum('f32', 'bf16'),
    'f32',
    'Of matrix products: `bf16` rounds what goes into them and what comes out, as autocast does on a GPU. Faster where TensorFlow multiplies bfloat16 itself, slower elsewhere; no less memory.',
  ),
  order: defaulted(t.enum('shuffled', 'file', 'by_length'), 'shuffled', 'Order of the rows.'),
  seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of initialisation, order and dropout.'),
} as const;

export type TrainSettings = Infer<typeof settings>;

/** The settings of a checked stage with their static type. */
export function trainSettings(stage: Pick<Stage, 'settings'>): TrainSettings {
  return stage.settings as unknown as TrainSettings;
}

const adapter = (doc: string): Port => ({ type: 'Adapter', doc, typeUsing: { full: 'Model' } });

export const trainSchema: StageSchema = {
  kind: 'train',
  doc: 'Fine-tunes a base: an adapter over frozen weights (`using lora`, or `qlora` over a 4-bit base), or every weight (`using full`). Labelled rows train a classifier: a head over the labels beside the adapter or every weight, or alone over the frozen base (`using head`).',
  presets: METHODS,
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
