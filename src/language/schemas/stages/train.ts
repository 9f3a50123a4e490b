import type { Stage } from '../../ir/program.js';
import { isPlainRecord } from '../../ir/values.js';
import { METRIC_ROWS, UNVALIDATED } from '../functions/metric.js';
import { METHODS } from '../methods.js';
import { defaulted, type Infer, optional, type Port, required, type StageSchema, t } from '../schema.js';

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

/** Embedding and head, by the names that are understood of every family. */
export const OUTER_TARGETS = ['embed_tokens', 'lm_head'] as const;

/** Whether a target names the embedding, by what families call it. */
export const namesEmbedding = (target: string): boolean =>
  /(?:^|\.)(?:embed_tokens|embed_in|word_embeddings|wte)$/.test(target);

/** Whether it names the embedding or the head. */
export const namesOuter = (target: string): boolean =>
  namesEmbedding(target) || /(?:^|\.)lm_head$/.test(target);

export const TARGET_SETS = ['all_linear', 'attention', 'query_value'] as const;

const rank = t.integer({ min: 1, max: 1024 });
const alpha = t.number({ above: 0 });

const lora = t.record({
  rank: defaulted(rank, 16, 'Rank of the two low-rank factors.'),
  alpha: defaulted(alpha, 32, 'The update is scaled by alpha ÷ rank.'),
  dropout: defaulted(
    t.quantity('ratio', { min: 0, max: 0.9 }),
    0,
    'Fraction of the adapter inputs set to zero in training.',
  ),
  targets: defaulted(
    t.union(
      t.enum(...TARGET_SETS),
      t.list(t.union(t.enum(...PROJECTIONS, ...OUTER_TARGETS, ...TARGET_SETS), t.filled), { min: 1 }),
    ),
    'all_linear',
    'Linear layers, experts, embedding (`embed_tokens`) and head (`lm_head`) that get an adapter: a set, or a list of names, sets, ends of paths and whole paths.',
  ),
  exclude: optional(
    t.list(t.union(t.enum(...PROJECTIONS, ...OUTER_TARGETS), t.filled), { min: 1 }),
    'Linear layers that get no adapter although `targets` names them: names, ends of paths and whole paths.',
  ),
  rslora: defaulted(
    t.boolean,
    false,
    'Scale by alpha ÷ √rank instead: rank-stabilised LoRA, for high ranks (arXiv 2312.03732).',
  ),
  dora: defaulted(
    t.boolean,
    false,
    'Train magnitude and direction of the weights separately: DoRA (arXiv 2402.09353).',
  ),
  bias: optional(
    t.enum('none', 'all', 'lora_only'),
    'Biases of the base that are trained with the adapter: all, those of the layers with factors, or by default none.',
  ),
  layers: optional(
    t.list(t.integer({ min: 0 }), { min: 1 }),
    'Layers that get an adapter, counted from 0; default: all.',
  ),
  rank_pattern: optional(
    t.map(rank),
    'Other ranks for some of the layers, by the end of a path or a regular expression, as in PEFT.',
  ),
  alpha_pattern: optional(t.map(alpha), 'Other alphas, in the same way.'),
  modules_to_save: optional(
    t.list(t.enum(...OUTER_TARGETS), { min: 1 }),
    'Train the whole embedding, the whole head or both, and save them with the adapter; the names are the same for every family.',
  ),
  init: defaulted(
    t.enum('kaiming', 'gaussian', 'pissa'),
    'kaiming',
    'Initial values of the factors: A random and B 0; or the principal components of the weights, with the residual frozen (PiSSA, arXiv 2404.02948).',
  ),
});

const prompt = t.record({
  tokens: defaulted(t.integer({ min: 1, max: 1024 }), 20, 'Virtual tokens before every text.'),
  init: defaulted(
    t.enum('random', 'vocabulary'),
    'random',
    'Initial embeddings: normal with standard deviation 1, or those of random tokens of the vocabulary.',
  ),
});

const prefix = t.record({
  tokens: defaulted(t.integer({ min: 1, max: 1024 }), 20, 'Virtual tokens before every text.'),
  projection: optional(
    t.integer({ min: 1 }),
    'Compute the keys and values by two trained layers with this hidden size, and save their output.',
  ),
  init: defaulted(
    t.enum('random', 'zero'),
    'random',
    'Initial values: as torch initialises embeddings and linear layers, or keys and values of 0.',
  ),
});

const bottlenecks = t.record({
  kind: defaulted(
    t.enum('houlsby', 'pfeiffer', 'parallel'),
    'houlsby',
    'What each adapter reads: the output of the attention or the MLP (arXiv 1902.00751), its sum with the residual stream (arXiv 2005.00247), or the residual stream alone (arXiv 2110.04366).',
  ),
  where: optional(
    t.list(t.enum('attention', 'mlp'), { min: 1 }),
    'Parts of a block that have an adapter; default: both with `houlsby`, the MLP with the others.',
  ),
  reduction: optional(
    t.number({ above: 0 }),
    'Hidden size ÷ width of the bottleneck; default: 16, or 2 with `parallel`.',
  ),
  activation: optional(
    t.enum('relu', 'gelu', 'gelu_new', 'silu', 'sigmoid', 'tanh'),
    'Activation between the two projections; default: silu with `houlsby`, relu with the others.',
  ),
  scaling: optional(t.number(), 'Factor for the output of an adapter; default: 1, or 4 with `parallel`.'),
  dropout: defaulted(
    t.quantity('ratio', { min: 0, max: 0.9 }),
    0,
    'Fraction of the adapter outputs set to zero in training.',
  ),
  layers: optional(
    t.list(t.integer({ min: 0 }), { min: 1 }),
    'Layers that have adapters, counted from 0; default: all.',
  ),
  init: optional(
    t.enum('bert', 'mam_adapter'),
    'Initial weights: normal with standard deviation 0.02, or up-projections of 0, so that the model starts as its base; default: bert, or mam_adapter with `parallel`.',
  ),
});

const batch = t.record({
  global: defaulted(t.integer({ min: 1, max: 1_000_000 }), 16, 'Rows per optimiser step.'),
  micro: optional(
    t.integer({ min: 1 }),
    'Rows (with `packing`, sequences) computed at a time; default: the planner chooses.',
  ),
  packing: defaulted(
    t.boolean,
    false,
    'Pack the rows of each step into sequences of up to `max_length` tokens, without attention between rows: the same losses with less padding.',
  ),
});

const stop = t.record({
  epochs: defaulted(
    t.number({ above: 0 }),
    3,
    'Epochs: passes over the rows. If only `steps` is set, as many as these take.',
  ),
  steps: optional(
    t.integer({ min: 1 }),
    'Optimiser steps: training takes exactly that many, repeating rows as needed; if `epochs` is set too, it ends at whichever comes first.',
  ),
  patience: optional(
    t.integer({ min: 1 }),
    'Number of validations without a better loss, or `validation.best`, after which training ends.',
  ),
  wall: optional(t.quantity('seconds', { min: 1 }), 'Maximum time; the best checkpoint so far is kept.'),
});

const checkpoint = t.record({
  every: defaulted(
    t.quantity('steps', { min: 1 }),
    50,
    'Optimiser steps between two checkpoints, and validations unless `validation.every` says otherwise.',
  ),
  keep: defaulted(t.integer({ min: 1 }), 2, 'Checkpoints kept while training runs.'),
});

/** What answers of a validation, or its loss, can be measured by: nothing of rows alone, of choices, or next to a baseline. */
const VALIDATED = (Object.keys(METRIC_ROWS) as (keyof typeof METRIC_ROWS)[]).filter(
  (name) => !UNVALIDATED.includes(name),
);

const validation = t.record({
  every: optional(
    t.quantity('steps', { min: 1 }),
    'Optimiser steps between two validations, each of which saves a checkpoint; default: as `checkpoint.every`.',
  ),
  metrics: defaulted(
    t.list(t.call('metric')),
    [],
    'What is measured besides the loss: answers are generated as in an `eval`, greedily.',
  ),
  rows: defaulted(
    t.integer({ min: 1 }),
    64,
    'Maximum number of rows to answer, chosen by the seed; the loss is of all rows.',
  ),
  max_tokens: defaulted(t.quantity('tokens', { min: 1 }), 64, 'Longest answer.'),
  best: defaulted(
    t.enum(...VALIDATED),
    'loss',
    'What the best checkpoint, `patience` and `.best` go by: the loss, or one of the metrics.',
  ),
});

const watch = t.record({
  divergence: optional(
    t.union(t.enum('stop', 'warn'), t.call('answer')),
    'What happens when the running median of the loss rises far above its lowest value, or gradients explode: training ends with an error, goes on with a warning, or goes back with `recover(…)`; default: `stop`.',
  ),
  repetition: optional(
    t.enum('stop', 'warn'),
    'What happens when the answers of a validation say the same runs of four words again and again, far more than the references: training ends, or goes on with a warning; default: answers are not looked at.',
  ),
});

const settings = {
  base: required(t.union(t.call('model'), t.port('Model')), 'The model that is trained.'),
  dataset: required(t.port('Dialogs'), 'Rows to train on; with labelled rows, a classifier is trained.'),
  validate: optional(
    t.port('Dialogs'),
    'Rows for validation, which decide on the best checkpoint and early stopping.',
  ),
  validation: optional(validation, 'How often to validate, and what is measured besides the loss.'),
  lora: defaulted(lora, {}, 'The LoRA adapter.'),
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
    'Continue from this adapter: rank, alpha, targets, rsLoRA, DoRA, layers and patterns, or the settings of its bottlenecks, are taken from it.',
  ),
  objective: optional(
    t.union(t.enum('sft'), t.call('objective')),
    'What is learned: to write the answers (`sft`, the default), or which of two answers is better, from rows of `preference()`.',
  ),
  optimizer: required(t.call('optimizer'), 'The optimiser, with its learning rate and schedule.'),
  neftune_noise_alpha: optional(
    t.number({ above: 0 }),
    'NEFTune: uniform noise on the embedded tokens, within α ÷ √(length · width), in training only (arXiv 2310.05914); 5 is usual.',
  ),
  label_smoothing: optional(
    t.quantity('ratio', { min: 0, max: 0.99 }),
    'Share of the loss that is the mean over all tokens of the vocabulary, or over all labels, in training only (arXiv 1512.00567); 10% is usual.',
  ),
  batch: defaulted(batch, {}, 'Rows per optimiser step.'),
  stop: defaulted(stop, {}, 'When training ends.'),
  checkpoint: defaulted(checkpoint, {}, 'How often the state of training is saved.'),
  watch: optional(watch, 'What training does when something goes wrong.'),
  track: optional(
    t.list(t.call('tracker')),
    'Where its curves, settings, plan, data and answers are shown besides; changes nothing in the result, and nothing waits for it.',
    { inert: true },
  ),
  fallback: defaulted(
    t.list(t.call('fallback')),
    [],
    'What the planner may change, in this order, if the training does not fit.',
  ),
  precision: defaulted(
    t.enum('auto', 'f32', 'bf16'),
    'auto',
    "Precision of matrix products: `bf16` rounds their inputs and results, as autocast does; what is trained stays float32. On the accelerate engine, frozen weights are bfloat16 then, too, which halves their memory. `auto` is `bf16` there on GPUs that multiply bfloat16 (NVIDIA's since Ampere), and `f32` everywhere else.",
  ),
  order: defaulted(t.enum('shuffled', 'file', 'by_length'), 'shuffled', 'Order of the rows.'),
  seed: defaulted(t.integer({ min: 0 }), 17, 'Seed of initialisation, order and dropout.'),
} as const;

export type TrainSettings = Infer<typeof settings>;

const adapter = (doc: string): Port => ({ type: 'Adapter', doc, typeUsing: { full: 'Model' } });

export const trainSchema: StageSchema = {
  kind: 'train',
  doc: 'Fine-tunes a base: an adapter on frozen weights (`using lora`, or `qlora` on a 4-bit base), or every weight (`using full`). With labelled rows, it trains a classifier: a head over the labels, together with the adapter or with every weight, or alone on the frozen base (`using head`).',
  presets: METHODS,
  settings,
  ports: {
    best: adapter('The best checkpoint: with the lowest validation loss, or the best by `validation.best`.'),
    last: adapter('The state after the last step.'),
    valid_loss: { type: 'Metric', doc: 'Lowest validation loss, in nats per token.' },
  },
  metrics: {
    loss: { doc: 'Training loss of the last step, in nats per token.', unit: 'number', known: 'run' },
    valid_loss: {
      doc: 'Validation loss of the best checkpoint, in nats per token.',
      unit: 'number',
      known: 'run',
    },
    steps: { doc: 'Optimiser steps taken.', unit: 'steps', known: 'run' },
    tokens_per_second: { doc: 'Tokens trained on per second.', unit: 'number', known: 'run' },
  },
};

const epochsAsked = (origins: Readonly<Record<string, string>>): boolean =>
  (origins['stop.epochs'] ?? 'default') !== 'default';

/**
 * When training ends by count. Steps that were asked for replace the epochs of the default: `stop = { steps: 500 }`
 * means 500 steps however few the rows; where both were asked for, the smaller one ends it. `origins`: of the stage.
 */
export function stopAfter(
  { epochs, steps }: { readonly epochs: number; readonly steps?: number },
  origins: Readonly<Record<string, string>>,
): { readonly epochs?: number; readonly steps?: number } {
  if (steps === undefined) return { epochs };
  return epochsAsked(origins) ? { epochs, steps } : { steps };
}

/** Methods of `using` that train no adapter. */
const WITHOUT_ADAPTER: readonly (string | undefined)[] = ['full', 'head'];

/**
 * The settings of a stage as they count: without defaults that mean nothing next to what was asked for. These are epochs
 * where only steps were, and the adapter of a training that has none.
 */
export function countingSettings({
  kind,
  preset,
  settings,
  origins,
}: Pick<Stage, 'kind' | 'preset' | 'settings' | 'origins'>): Stage['settings'] {
  if (kind !== 'train') return settings;
  const asksForAdapter = Object.entries(origins).some(
    ([path, origin]) => /^lora\b/.test(path) && origin !== 'default',
  );
  const { lora, ...withoutLora } = settings;
  const counting = WITHOUT_ADAPTER.includes(preset) && !asksForAdapter ? withoutLora : settings;
  const { stop } = settings;
  if (!isPlainRecord(stop) || stop['steps'] === undefined || epochsAsked(origins)) return counting;
  const { epochs: _, ...others } = stop;
  return { ...counting, stop: others };
}
