/** LLaMA-Factory, version 1: what each key of its YAML becomes. Defaults: `src/llamafactory/v1/config/`. */
import { resolve } from 'node:path';
import { HostError } from '../../../language/host/host.js';
import type { Span } from '../../../language/source/span.js';
import { a, type ForeignRecord, oneOf, valueIn } from '../foreign.js';
import { readSettings } from '../read-settings.js';
import { newDataset, type Recipe, remark, type TemplateName } from '../recipe.js';
import {
  becomes,
  each,
  type ImportContext,
  type ImportedFile,
  left,
  refused,
  type TranslationTable,
  translateEntries,
} from '../translation.js';
import * as common from './common.js';
import { TRAINER_SEED, textOf } from './common.js';
import { addDataset } from './datasets.js';
import { deepspeed, offloaded, processes, setShared, shards } from './devices.js';
import { exporting, settleExport } from './exports.js';
import { here, never, none } from './for-recipes.js';
import * as preferences from './preferences.js';
import { BY_ITSELF, NONE } from './reasons.js';
import { trainer } from './trainer.js';

/** PEFT's settings under `peft_config`. */
const PEFT: TranslationTable<Recipe> = {
  name: becomes('`using lora`', oneOf('lora', 'freeze'), (recipe, name) => {
    if (name !== 'lora') return refused(NONE.parts);
    recipe.method = 'lora';
    return undefined;
  }),
  r: common.loraField('`lora = { rank: … }`', a.rank, 'rank'),
  lora_alpha: common.loraField('`lora = { alpha: … }`', a.positive, 'alpha'),
  lora_dropout: common.loraField('`lora = { dropout: … }`', a.dropout, 'dropout'),
  target_modules: common.targets,
  use_rslora: common.loraField('`lora = { rslora: true }`', a.flag, 'rslora'),
  use_dora: common.loraField('`lora = { dora: true }`', a.flag, 'dora'),
  modules_to_save: common.modulesToSave,
  adapter_name_or_path: common.field('`start = peft("folder")`, or `adapter` of a merge', a.text, 'start'),
  ...exporting,
  ...each(
    `freeze_trainable_layers freeze_trainable_modules freeze_extra_modules cast_trainable_params_to_fp32`,
    never(NONE.parts),
  ),
};

const QUANTISATION: TranslationTable<Recipe> = {
  name: none(NONE.quantised, 'bnb', 'auto'),
  quantization_bit: becomes(
    '`using qlora` for 4',
    a.whole,
    (recipe, value) => {
      if (value !== 4) return left(NONE.quantised);
      recipe.fourBit = true;
      return undefined;
    },
    'fourBit',
  ),
  ...each(
    'compute_dtype double_quantization quantization_device_map quantization_type',
    here(BY_ITSELF.planner),
  ),
};

const SHARING: TranslationTable<Recipe> = {
  name: becomes('`sharding`', a.text, (recipe, name) => setShared(recipe, name)),
  config_file: deepspeed,
  ...each('offload_params', offloaded),
  ...each('mixed_precision', here(BY_ITSELF.precision)),
  ...each('reshard_after_forward dcp_path pin_memory', here(BY_ITSELF.planner)),
};

/** Settings inside a key, which are those of the whole. */
const within = (doc: string, key: string, table: TranslationTable<Recipe>) =>
  becomes<Recipe, ForeignRecord>(doc, a.record, (recipe, record, context) => {
    translateEntries(record, table, recipe, context, `${key}.`);
    return undefined;
  });

const SHARED =
  'learning_rate num_train_epochs max_steps max_grad_norm seed save_steps save_total_limit logging_steps output_dir resume_from_checkpoint full_determinism'.split(
    ' ',
  );

/** Files for version 1, which has fewer settings and some other names. */
export const llamaFactory1: TranslationTable<Recipe> = {
  ...Object.fromEntries(SHARED.flatMap((key) => (trainer[key] === undefined ? [] : [[key, trainer[key]]]))),
  model: common.base,
  model_class: never('the base is a language model', 'llm'),
  trust_remote_code: here(BY_ITSELF.code),
  ...each(
    'template custom_chat_template',
    becomes('`style` of `chat()`', a.text, (recipe: Recipe, name) => common.setStyle(recipe, name), 'style'),
  ),
  micro_batch_size: common.field('`batch = { global: … }`', a.rows, 'micro'),
  global_batch_size: common.field('`batch = { global: … }`, of all devices', a.rows, 'totalRows'),
  cutoff_len: common.field('`max_length` of the format stage', a.count, 'maxLength'),
  train_dataset: becomes(
    'the `source` of a data stage, as the named YAML describes it',
    a.text,
    () => undefined,
  ),
  eval_dataset: none('name another data stage, and `validate`'),
  peft_config: within('`using lora` and `lora = { … }`', 'peft_config', PEFT),
  quant_config: within('`using qlora` for 4 bits', 'quant_config', QUANTISATION),
  optim_config: none('AdamW takes its place'),
  lr_scheduler_config: none('a constant rate takes its place'),
  save_epochs: none('`checkpoint = { every: … }` counts steps, whose number per epoch only the rows tell'),
  dist_config: within('`engine` and `sharding` of a budget', 'dist_config', SHARING),
  dp_size: processes,
  mp_shard_size: shards,
  mp_replicate_size: none('shards are over all devices, without replicas of them', 1),
  ...each('cp_size cp_mode', none(NONE.parallel, 1)),
  init_config: here(BY_ITSELF.planner),
  dist_timeout: here(BY_ITSELF.kernels),
  ...each(
    'kernel_config batching_strategy flash_attn enable_activation_checkpointing',
    here(BY_ITSELF.kernels),
  ),
  ...each('bf16 fp16 mixed_precision', here(BY_ITSELF.precision)),
  ...each('batching_workers', here(BY_ITSELF.reading)),
  ...each('sample_backend max_new_tokens', here(BY_ITSELF.generation)),
  save_ckpt_as_hf: here(BY_ITSELF.store),
  stage: becomes(
    '`dpo` and `rm` become an `objective`; a file names no stage where the command does',
    oneOf('sft', 'dpo', 'rm'),
    (recipe, stage) => {
      if (stage !== 'sft') recipe.objective = stage === 'rm' ? 'reward' : stage;
      return undefined;
    },
  ),
  pref_loss: becomes(
    '`loss` of `dpo`, or `objective = orpo()` or `simpo()`',
    oneOf('sigmoid', 'orpo', 'simpo'),
    (recipe, name) => {
      recipe.objective ??= name === 'sigmoid' ? 'dpo' : name;
      return undefined;
    },
  ),
  pref_beta: preferences.beta,
  pref_ftx: preferences.sftWeight,
  simpo_gamma: preferences.gamma,
  dpo_label_smoothing: preferences.smoothing,
  ld_alpha: none('every token of an answer counts the same'),
};

/** Keys that preferences alone have. */
const PREFERRING = ['pref_loss', 'pref_beta', 'pref_ftx', 'simpo_gamma', 'dpo_label_smoothing', 'ld_alpha'];

/** The command says whether its rows are preferences, and the file only by keys and rows. */
function settlePreferences(recipe: Recipe, context: ImportContext, record: ForeignRecord): void {
  if (PREFERRING.some((key) => valueIn(record, key) !== undefined)) recipe.objective ??= 'dpo';
  const isPaired = recipe.datasets.some(({ template }) => template === 'preference');
  if (isPaired && recipe.objective === undefined) {
    recipe.objective = 'dpo';
    remark(recipe, 'objective', 'The file does not name its command: with `rm`, it is `reward()`.');
  }
  if (recipe.objective === 'orpo')
    remark(recipe, 'objective', 'There, of chosen texts the answers alone are learned.');
  if (recipe.objective === 'dpo' && (recipe.sftWeight ?? 0) > 0)
    remark(recipe, 'objective', 'There, `sft` is the mean over rows; here, over tokens.');
  // its trainers keep the dropout of adapters
  preferences.settleObjective(recipe, context, {});
}

/** Defaults of version 1, and the rows that its file names. */
export async function settleLlamaFactory1(
  recipe: Recipe,
  context: ImportContext,
  { record }: ImportedFile,
): Promise<void> {
  recipe.method ??= 'full';
  const { lora } = recipe;
  lora.rank ??= 8;
  lora.alpha ??= 16;
  lora.dropout ??= 0.05;
  lora.targets ??= 'all_linear';
  recipe.rate ??= 1e-4;
  // `torch.optim.AdamW`, with its own decay, and no schedule.
  recipe.optimizer = 'adamw_torch';
  recipe.decay ??= 0.01;
  recipe.schedule = 'constant';
  recipe.maxLength ??= 2048;
  recipe.overflow = 'truncate';
  recipe.seed ??= TRAINER_SEED;
  recipe.savesBySteps = true;
  common.settleLength(recipe, context, { epochs: 3, key: 'num_train_epochs', tool: 'LLaMA-Factory' });
  await readRows(recipe, context, record);
  settlePreferences(recipe, context, record);
  settleExport(recipe, context);
}

async function readRows(recipe: Recipe, context: ImportContext, record: ForeignRecord): Promise<void> {
  const described = valueIn(record, 'train_dataset');
  const path = textOf(described);
  if (described === undefined || path === undefined) return;
  if (!/\.ya?ml$/.test(path)) {
    recipe.datasets.push({ ...newDataset(described.span), path, template: 'chat' });
    return;
  }
  await addDescribed(path, described.span, recipe, context);
}

/** `{ name: { path, source, converter, size } }` */
async function addDescribed(path: string, at: Span, recipe: Recipe, context: ImportContext): Promise<void> {
  const entries = await describedIn(path, context);
  if (entries === undefined) {
    recipe.datasets.push({ ...newDataset(at), path: path.replace(/\.ya?ml$/, '.jsonl'), template: 'chat' });
    remark(
      recipe,
      'source',
      `The description of the rows, ${path.slice(0, 80)}, is not there: taken for a file of that name.`,
    );
    return;
  }
  for (const { value } of entries) {
    if (value.kind !== 'record') continue;
    const rows = textOf(valueIn(value, 'path'));
    const converter = textOf(valueIn(value, 'converter'));
    const template = converter === undefined ? 'chat' : (TEMPLATES[converter] ?? 'chat');
    addDataset(
      { ...newDataset(at), path: rows, split: textOf(valueIn(value, 'split')), template },
      'datasets',
      recipe,
      context,
      [],
    );
    if (converter === undefined)
      remark(recipe, 'template', 'Messages whose content is a list of parts have to be written as texts.');
  }
}

/** By the converter of the rows. */
const TEMPLATES: Readonly<Record<string, TemplateName>> = { sharegpt: 'sharegpt', pair: 'preference' };

async function describedIn(path: string, { host, folder }: ImportContext) {
  try {
    const settings = await readSettings(path, host.readText(resolve(folder, path)));
    return 'kind' in settings ? settings.entries : undefined;
  } catch (error) {
    if (error instanceof HostError) return undefined;
    throw error;
  }
}
