/** Names of settings and values in other tools and languages, for messages. */
import { byWord, lookUp } from '../source/look-up.js';

/** Settings of other trainers that have another name here. */
const NAMES = byWord({
  rank: 'r lora_r lora_rank',
  alpha: 'lora_alpha',
  dropout: 'lora_dropout',
  targets: 'target_modules lora_target_modules',
  rslora: 'use_rslora',
  dora: 'use_dora',
  layers: 'layers_to_transform lora_layers_to_transform',
  modules_to_save: 'lora_modules_to_save',
  init: 'init_lora_weights',
  neftune_noise_alpha: 'neftune_alpha neftune',
  rate: 'lr learning_rate',
  decay: 'weight_decay',
  epsilon: 'eps adam_epsilon',
  clip: 'max_grad_norm',
  schedule: 'lr_scheduler lr_scheduler_type',
  epochs: 'num_epochs num_train_epochs',
  steps: 'max_steps',
  patience: 'early_stopping_patience',
  global: 'batch_size',
  micro: 'micro_batch_size per_device_train_batch_size',
  every: 'save_steps eval_steps',
  keep: 'save_total_limit',
  max_length: 'max_seq_length sequence_len',
  validate: 'eval_dataset',
  dataset: 'train_dataset',
  base: 'base_model model_name',
});

/** Settings of other trainers, and how to write what they do here. */
const FORMS: Readonly<Record<string, string>> = {
  num_virtual_tokens: 'prompt = { tokens: 20 }',
  resume_from_adapter: 'start = peft("folder")',
  adapter_name_or_path: 'start = peft("folder")',
  betas: 'beta1: 0.9, beta2: 0.999',
  warmup_ratio: 'schedule: cosine(warmup: 3%)',
  warmup_steps: 'schedule: cosine(warmup: 100steps)',
  gradient_accumulation_steps: 'batch = { global: … }`, from which accumulation follows: `global: 16',
  gradient_checkpointing: 'fallback = [checkpointing]',
  load_in_4bit: 'using qlora` in the heading: `train adapter using qlora {',
  output_dir: 'target = directory("…")` in a `deploy` block: `target = directory("releases")',
};

/** Values of other languages. */
const VALUES = byWord({
  true: 'True TRUE yes on',
  false: 'False FALSE no off',
  none: 'None null nil undefined',
});

/** `true` for `True`; `undefined` for other words. */
export const foreignValue = (word: string): string | undefined => lookUp(VALUES, word);

/** The setting here for one of another tool: its name, or how to write it. */
export function foreignSetting(name: string): string | { readonly write: string } | undefined {
  const write = lookUp(FORMS, name.toLowerCase());
  return write === undefined ? lookUp(NAMES, name.toLowerCase()) : { write };
}
