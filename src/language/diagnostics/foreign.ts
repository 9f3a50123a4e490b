/** Names of settings and values in other tools and languages, for messages. */
import { byWord, lookUp } from '../source/look-up.js';

/** Settings of other trainers, by the setting here that does the same. */
const SETTINGS = byWord({
  'train.lora.rank': 'r lora_r lora_rank lora_dim',
  'train.lora.alpha': 'lora_alpha',
  'train.lora.dropout': 'lora_dropout',
  'train.lora.targets':
    'target_modules lora_target_modules lora_target lora_target_linear target_parameters lora_target_parameters',
  'train.lora.rslora': 'use_rslora peft_use_rslora',
  'train.lora.dora': 'use_dora peft_use_dora',
  'train.lora.bias': 'train_bias trainable_bias',
  'train.lora.layers': 'layers_to_transform lora_layers_to_transform peft_layers_to_transform',
  'train.lora.modules_to_save': 'lora_modules_to_save additional_target',
  'train.lora.init': 'init_lora_weights peft_init_lora_weights',
  'train.neftune_noise_alpha': 'neftune_alpha neftune',
  'train.label_smoothing': 'label_smoothing_factor label_smooth',
  'train.optimizer': 'optim optimizer_type',
  'train.optimizer.rate': 'lr learning_rate',
  'train.optimizer.decay': 'weight_decay',
  'train.optimizer.epsilon': 'eps adam_epsilon',
  'train.optimizer.beta1': 'adam_beta1',
  'train.optimizer.beta2': 'adam_beta2',
  'train.optimizer.clip': 'max_grad_norm gradient_clipping grad_clip max_grad_value',
  'train.optimizer.loraplus_ratio': 'loraplus_lr_ratio',
  'train.optimizer.schedule': 'lr_scheduler lr_scheduler_type',
  'train.optimizer.schedule.warmup': 'warmup_ratio warmup_steps num_warmup_steps',
  'train.stop.epochs': 'num_epochs num_train_epochs n_epochs max_epochs',
  'train.stop.steps': 'max_steps max_train_steps num_train_steps',
  'train.stop.patience': 'early_stopping_patience',
  'train.batch.global': 'batch_size train_batch_size',
  'train.batch.micro': 'micro_batch_size per_device_train_batch_size',
  'train.batch.packing': 'sample_packing neat_packing',
  'train.checkpoint.every': 'save_steps',
  'train.validation.every': 'eval_steps',
  'train.validation.best': 'metric_for_best_model',
  'train.checkpoint.keep': 'save_total_limit',
  'train.validate': 'eval_dataset val_dataset valid_dataset',
  'train.dataset': 'train_dataset train_data',
  'train.base': 'base_model model_name model_name_or_path model_id',
  'train.seed': 'random_seed random_state training_seed',
  'format.max_length': 'max_seq_length max_seq_len sequence_len cutoff_len model_max_length block_size',
  'data.limit': 'max_samples max_train_samples num_samples',
  'eval.generation.max_tokens': 'max_new_tokens max_gen_length',
});

/** What data sets call the columns that templates read. */
const COLUMNS = byWord({
  instruction: 'question query problem',
  output: 'answer response target reply solution',
  messages: 'chat dialog dialogue turns',
  text: 'content document sentence',
  label: 'class category',
  prompt: 'prefix',
  completion: 'continuation suffix',
});

/** The usual name of a column that a data set calls otherwise. */
export const usualColumn = (name: string): string | undefined => lookUp(COLUMNS, name.toLowerCase());

/** What a block reads, by what other blocks call it. */
const READ: Readonly<Record<string, ReturnType<typeof byWord>>> = {
  data: byWord({ source: 'dataset from input file path' }),
  format: byWord({ from: 'dataset source data input', model: 'base' }),
  train: byWord({ base: 'model', dataset: 'from source data rows' }),
  eval: byWord({ model: 'base', dataset: 'from source data rows' }),
  merge: byWord({ base: 'model', adapter: 'from lora' }),
  deploy: byWord({ model: 'base from adapter' }),
};

/** The setting of a block of this kind that names what it reads, where another block's name for that is written. */
export const ownNameOf = (kind: string, name: string): string | undefined => {
  const names = READ[kind];
  return names && lookUp(names, name.toLowerCase());
};

/** A literal value that another tool's setting has. */
export type ForeignValue = string | number | boolean | undefined;

/** A line to write for a setting of another tool. */
interface ForeignLine {
  /** The kind of its block, or `heading` for what is written there. */
  readonly block: string;
  readonly line: string;
  /** What else there is to know. */
  readonly note?: string;
}

/** Without a decimal point that rounding left: `0.05` → `5`. */
const percent = (share: number): number => Number((share * 100).toPrecision(6));

const isShare = (value: ForeignValue): value is number => typeof value === 'number' && value > 0 && value < 1;

/** `val_set_size: 0.1`, or a number of rows. */
function split(value: ForeignValue): string {
  const valid = isShare(value) ? percent(value) : 10;
  return `split = { train: ${Number((100 - valid).toPrecision(6))}%, valid: ${valid}% }`;
}

/** Adapters and methods of other tools, as methods of this one. */
const method = (value: ForeignValue): string =>
  value === false
    ? 'using full'
    : `using ${['lora', 'qlora', 'full'].find((name) => name === value) ?? 'lora'}`;

/** What other tools call float32, or no lower precision. */
const FLOAT32: ReadonlySet<ForeignValue> = new Set([false, 'no', 'fp32', 'float32', 'torch.float32']);

const precision = (value: ForeignValue): string =>
  `precision = ${value === 'auto' ? 'auto' : FLOAT32.has(value) ? 'f32' : 'bf16'}`;

const byGpu = (value: ForeignValue): string | undefined =>
  value === 'auto' ? 'the default: `bf16` on GPUs that multiply it' : undefined;

/** Words, their block, and the line, which may follow from the value. */
const LINES: readonly (readonly [
  words: string,
  block: string,
  line: string | ((value: ForeignValue) => string),
  note?: string | ((value: ForeignValue) => string | undefined),
])[] = [
  ['bf16 bfloat16 mixed_precision torch_dtype pure_bf16', 'train', precision, byGpu],
  ['fp16 float16', 'train', precision, 'there is no training in float16'],
  [
    'load_in_4bit quantization_bit quantization_config bnb_4bit_quant_type',
    'heading',
    (value) => (value === false || (typeof value === 'number' && value !== 4) ? 'using lora' : 'using qlora'),
  ],
  [
    'load_in_8bit',
    'heading',
    'using lora',
    'the base stays as it is stored; `using qlora` quantises it to 4 bits, not 8',
  ],
  ['finetuning_type use_peft use_lora', 'heading', method],
  ['gradient_checkpointing', 'train', 'fallback = [checkpointing]', 'used where memory is short'],
  [
    'gradient_accumulation_steps',
    'train',
    'batch = { global: … }',
    'rows per optimiser step: those of a device, times the accumulation',
  ],
  ['betas', 'train', 'optimizer = adamw(rate: 2e-4, beta1: 0.9, beta2: 0.999)'],
  ['group_by_length', 'train', (value) => `order = ${value === false ? 'shuffled' : 'by_length'}`],
  ['eval_strategy evaluation_strategy save_strategy', 'train', 'checkpoint = { every: 50steps }'],
  ['adapter_name_or_path resume_from_adapter lora_model_dir', 'train', 'start = peft("folder")'],
  ['num_virtual_tokens', 'train', 'prompt = { tokens: 20 }'],
  [
    'train_on_inputs train_on_prompt',
    'format',
    (value) => `loss_on = ${value === true ? 'all' : 'assistant'}`,
  ],
  ['mask_history', 'format', 'loss_on = last'],
  [
    'completion_only_loss assistant_only_loss',
    'format',
    (value) => `loss_on = ${value === false ? 'all' : 'assistant'}`,
  ],
  ['system_prompt system_message default_system', 'format', 'template = chat(system: file("system.md"))'],
  [
    'val_set_size val_size test_size',
    'data',
    split,
    (value) =>
      typeof value === 'number' && value >= 1
        ? `a split has shares: choose the one that is about ${value} rows`
        : undefined,
  ],
  [
    'datasets data_files train_file dataset_path dataset_name dataset_dir',
    'data',
    'source = jsonl("data/*.jsonl")',
  ],
  ['dataset_text_field', 'data', 'source = jsonl("data/*.jsonl", columns: { text: "…" })'],
  [
    'output_dir push_to_hub hub_model_id',
    'deploy',
    'target = directory("releases")',
    'what a run makes is in `.ftp` in any case',
  ],
];

/** Settings of other trainers for which nothing is to be written, and why. */
const NEEDLESS: readonly (readonly [words: string, why: string])[] = [
  [
    'report_to wandb tensorboard wandb_project wandb_entity wandb_name wandb_run_id wandb_watch wandb_log_model use_wandb run_name logging_dir logging_steps logging_strategy logging_first_step log_level plot_loss mlflow_experiment_name',
    'every run keeps its metrics, which `ftpc metrics` prints and `ftpc diff` compares; `track = [tensorboard("runs"), wandb(project: "…")]` shows them elsewhere',
  ],
  [
    'flash_attn flash_attention attn_implementation use_flash_attention_2 xformers_attention sdp_attention use_unsloth use_liger_kernel torch_compile tf32',
    'the runtime chooses how it computes',
  ],
  [
    'deepspeed fsdp fsdp_config device_map ddp_timeout ddp_find_unused_parameters local_rank no_cuda use_cpu use_cache',
    'the planner decides how the machine is used',
  ],
  [
    'machine gpu gpus gpu_type num_gpus accelerator instance_type',
    '`ftpc plan FILE --machine NAME` plans for a machine of the catalogue, or one that the pipeline declares',
  ],
  ['do_train do_eval do_predict stage task_type', 'what runs follows from the blocks'],
  ['trust_remote_code', 'no code of a model is run'],
  ['model_type tokenizer_type tokenizer is_llama_derived_model', 'it is read from the files of the model'],
  ['resume_from_checkpoint auto_resume_from_checkpoints', '`ftpc run` goes on where it was interrupted'],
  ['overwrite_output_dir overwrite_cache save_only_model', '`ftpc run` keeps what is still valid'],
  [
    'load_best_model_at_end metric_for_best_model greater_is_better',
    'the checkpoint with the lowest validation loss is the output `.best` of the stage',
  ],
  [
    'preprocessing_num_workers dataloader_num_workers dataloader_pin_memory dataset_prepared_path dataset_num_proc remove_unused_columns per_device_eval_batch_size eval_batch_size eval_accumulation_steps pad_to_sequence_len strict',
    'rows are prepared once, and kept',
  ],
];

/** Functions of other libraries, by what to call here. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  load_dataset: 'jsonl("data/*.jsonl")` or `hub("org/name")',
  load_from_disk: 'parquet("data/*.parquet")',
  read_json: 'jsonl("data/*.jsonl")',
  read_csv: 'csv("data/*.csv")',
  read_parquet: 'parquet("data/*.parquet")',
  from_pretrained: 'hf("org/name")',
  'automodelforcausallm.from_pretrained': 'hf("org/name")',
  'fastlanguagemodel.from_pretrained': 'hf("org/name")',
};

/** What to call here for a function of another library. */
export const foreignFunction = (name: string): string | undefined => lookUp(FUNCTIONS, name.toLowerCase());

/** Values of other languages, and delimiters of files as they are. */
const VALUES = byWord({
  true: 'True TRUE yes on',
  false: 'False FALSE no off',
  none: 'None null nil undefined',
  comma: ',',
  semicolon: ';',
  tab: '\t',
  pipe: '|',
});

/** `true` for `True`, `semicolon` for `;`; `undefined` for other words. */
export const foreignValue = (word: string): string | undefined => lookUp(VALUES, word);

const linesByWord = Object.fromEntries(
  LINES.flatMap(([words, ...entry]) => words.split(' ').map((word) => [word, entry] as const)),
);
const needlessByWord = Object.fromEntries(
  NEEDLESS.flatMap(([words, why]) => words.split(' ').map((word) => [word, why] as const)),
);

/** What a setting of another tool is here: a setting by its path, a line, or nothing. */
type ForeignSetting = { readonly setting: string } | ForeignLine | { readonly needless: string } | undefined;

export function foreignSetting(written: string, value?: ForeignValue): ForeignSetting {
  const name = written.toLowerCase();
  const setting = lookUp(SETTINGS, name);
  if (setting !== undefined) return { setting };
  const [block, line, note] = lookUp(linesByWord, name) ?? [];
  if (block !== undefined && line !== undefined)
    return {
      block,
      line: typeof line === 'string' ? line : line(value),
      note: typeof note === 'function' ? note(value) : note,
    };
  const needless = lookUp(needlessByWord, name);
  return needless === undefined ? undefined : { needless };
}

/** Every name of another tool that a message knows. */
export const foreignNames = (): readonly string[] => [
  ...Object.keys(SETTINGS),
  ...Object.keys(linesByWord),
  ...Object.keys(needlessByWord),
];
