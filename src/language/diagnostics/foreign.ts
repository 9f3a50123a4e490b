/** Names of settings and values in other tools and languages, for messages. */
import { lookUp } from '../source/look-up.js';

/** Settings of other trainers: the name here, or how to write it. */
const SETTINGS: Readonly<Record<string, string | { readonly write: string }>> = {
  r: 'rank',
  lora_r: 'rank',
  lora_rank: 'rank',
  lora_alpha: 'alpha',
  lora_dropout: 'dropout',
  target_modules: 'targets',
  lora_target_modules: 'targets',
  use_rslora: 'rslora',
  use_dora: 'dora',
  layers_to_transform: 'layers',
  lora_layers_to_transform: 'layers',
  lora_modules_to_save: 'modules_to_save',
  init_lora_weights: 'init',
  neftune_alpha: 'neftune_noise_alpha',
  neftune: 'neftune_noise_alpha',
  num_virtual_tokens: { write: 'prompt = { tokens: 20 }' },
  resume_from_adapter: { write: 'start = peft("folder")' },
  adapter_name_or_path: { write: 'start = peft("folder")' },
  lr: 'rate',
  learning_rate: 'rate',
  weight_decay: 'decay',
  betas: { write: 'beta1: 0.9, beta2: 0.999' },
  eps: 'epsilon',
  adam_epsilon: 'epsilon',
  max_grad_norm: 'clip',
  lr_scheduler: 'schedule',
  lr_scheduler_type: 'schedule',
  warmup_ratio: { write: 'schedule: cosine(warmup: 3%)' },
  warmup_steps: { write: 'schedule: cosine(warmup: 100steps)' },
  num_epochs: 'epochs',
  num_train_epochs: 'epochs',
  max_steps: 'steps',
  early_stopping_patience: 'patience',
  batch_size: 'global',
  micro_batch_size: 'micro',
  per_device_train_batch_size: 'micro',
  gradient_accumulation_steps: {
    write: 'batch = { global: … }`, from which accumulation follows: `global: 16',
  },
  save_steps: 'every',
  eval_steps: 'every',
  save_total_limit: 'keep',
  gradient_checkpointing: { write: 'fallback = [checkpointing]' },
  load_in_4bit: { write: 'using qlora` in the heading: `train adapter using qlora {' },
  max_seq_length: 'max_length',
  sequence_len: 'max_length',
  eval_dataset: 'validate',
  train_dataset: 'dataset',
  base_model: 'base',
  model_name: 'base',
  output_dir: { write: 'target = directory("…")` in a `deploy` block: `target = directory("releases")' },
};

/** Values of other languages. */
const VALUES: Readonly<Record<string, string>> = {
  True: 'true',
  TRUE: 'true',
  yes: 'true',
  on: 'true',
  False: 'false',
  FALSE: 'false',
  no: 'false',
  off: 'false',
  None: 'none',
  null: 'none',
  nil: 'none',
  undefined: 'none',
};

/** `true` for `True`; `undefined` for other words. */
export const foreignValue = (word: string): string | undefined => lookUp(VALUES, word);

/** The setting here for one of another tool: its name, or how to write it. */
export const foreignSetting = (name: string): string | { readonly write: string } | undefined =>
  lookUp(SETTINGS, name.toLowerCase());
