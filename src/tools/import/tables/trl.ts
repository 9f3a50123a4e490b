/** TRL: what the arguments of `trl sft` become, and those of `SFTConfig`, `ModelConfig` and PEFT's `LoraConfig`. */
import { a, type ForeignRecord, isUnset, oneOf, valueIn } from '../foreign.js';
import { type Dataset, newDataset, type Recipe, remark } from '../recipe.js';
import { columnsIn, isLocal } from '../sources.js';
import {
  automatic,
  becomes,
  each,
  hasNone,
  type ImportContext,
  type ImportedFile,
  left,
  refused,
  revise,
  type TranslationTable,
  translateEntries,
  unable,
  unless,
} from '../translation.js';
import * as common from './common.js';
import { textOf } from './common.js';
import { settleSplits } from './datasets.js';
import { setShared } from './devices.js';
import { here, never, none } from './for-recipes.js';
import * as preferences from './preferences.js';
import { BY_ITSELF, NONE } from './reasons.js';
import { settleTrainer, trainer } from './trainer.js';

/** `ModelConfig`, `LoraConfig` and `BitsAndBytesConfig`. */
const MODEL: TranslationTable<Recipe> = {
  ...each('model_name_or_path base_model_name_or_path', common.base),
  ...each('model_revision revision', common.revision),
  use_peft: becomes('`using lora`; without it, `using full`', a.flag, (recipe, value) => {
    recipe.method = value ? 'lora' : 'full';
  }),
  peft_type: becomes('`using lora`', a.text, (recipe, name) => {
    if (!/^(PeftType\.)?lora$/i.test(name)) return refused('adapters are LoRA or QLoRA');
    recipe.method = 'lora';
    return undefined;
  }),
  ...each('lora_r r', common.loraField('`lora = { rank: … }`', a.rank, 'rank')),
  lora_alpha: common.loraField('`lora = { alpha: … }`', a.positive, 'alpha'),
  lora_dropout: common.loraField('`lora = { dropout: … }`', a.dropout, 'dropout'),
  ...each('lora_target_modules target_modules', common.targets),
  ...each('lora_target_parameters target_parameters', common.experts),
  ...each('lora_modules_to_save modules_to_save', common.modulesToSave),
  use_rslora: common.loraField('`lora = { rslora: true }`', a.flag, 'rslora'),
  use_dora: common.loraField('`lora = { dora: true }`', a.flag, 'dora'),
  init_lora_weights: common.initialWeights,
  rank_pattern: common.loraField('`lora = { rank_pattern: … }`', a.ranksByName, 'rankPattern'),
  alpha_pattern: common.loraField('`lora = { alpha_pattern: … }`', a.alphasByName, 'alphaPattern'),
  layers_to_transform: common.loraField('`lora = { layers: … }`', a.counts, 'layers'),
  exclude_modules: common.exclude,
  bias: becomes('`lora = { bias: … }`', oneOf('none', 'all', 'lora_only'), (recipe, which) => {
    if (which === 'none') return automatic('biases are not trained');
    recipe.lora.bias = which;
    return undefined;
  }),
  ...each(
    'lora_task_type task_type',
    unable<Recipe>('rows for a classifier have a text and a label: `template = labelled()`', 'CAUSAL_LM'),
  ),
  ...each(
    `layers_pattern layer_replication
    megatron_config megatron_core loftq_config eva_config corda_config use_qalora qalora_group_size
    trainable_token_indices lora_bias arrow_config`,
    none('`lora` has no such setting'),
  ),
  ...each(
    `fan_in_fan_out inference_mode auto_mapping peft_version runtime_config ensure_weight_tying`,
    here(BY_ITSELF.model),
  ),
  load_in_4bit: common.bits('`using qlora`'),
  load_in_8bit: common.eightBit,
  ...each('bnb_4bit_quant_type', none(NONE.quantised, 'nf4')),
  ...each(
    `use_bnb_nested_quant bnb_4bit_quant_storage bnb_4bit_use_double_quant bnb_4bit_compute_dtype
    quant_method`,
    here(BY_ITSELF.planner),
  ),
  ...each('dtype torch_dtype', here(BY_ITSELF.precision)),
  attn_implementation: here(BY_ITSELF.kernels),
  device_map: here(BY_ITSELF.planner),
  trust_remote_code: here(BY_ITSELF.code),
  ...each('model_init_kwargs router_aux_loss_coef', none('the base is read as its files describe it')),
};

/** `ScriptArguments`, `DatasetMixtureConfig` and what `SFTConfig` says of rows. */
const DATA: TranslationTable<Recipe> = {
  dataset_name: becomes('`hub("org/name")`, or a file', a.text, (recipe, path, _, at) => {
    recipe.datasets.unshift({ ...newDataset(at), path });
    return undefined;
  }),
  dataset_config: none(
    'configurations of a data set are not known; `files: "folder/*"` of `hub` names their files',
    'default',
    'main',
  ),
  dataset_train_split: unless(
    'datasets',
    becomes('`split` of `hub`', a.text, () => undefined),
  ),
  dataset_test_split: becomes(
    '`split` of `hub` for another data stage, where there is validation',
    a.text,
    () => undefined,
  ),
  datasets: becomes<Recipe, readonly ForeignRecord[]>(
    'the `source` of a data stage',
    a.records,
    (recipe, records, context) => {
      recipe.datasets = records.map((record) => {
        const dataset = newDataset(record.span);
        translateEntries(record, MIXTURE, dataset, context, 'datasets.');
        return dataset;
      });
      return undefined;
    },
  ),
  test_split_size: common.validationShare,
  dataset_text_field: becomes('`columns: { text: … }`, and `completion()`', a.text, () => undefined),
  max_length: common.field('`max_length` of the format stage', a.count, 'maxLength'),
  max_seq_length: unless(
    'max_length',
    common.field('`max_length` of the format stage', a.count, 'maxLength'),
  ),
  truncation_mode: none('a row that is too long loses its end', 'keep_start'),
  packing: common.field('`batch = { packing: true }`', a.flag, 'packing'),
  packing_strategy: becomes(
    '`overflow = split` for `bfd_split`',
    oneOf('bfd', 'bfd_split', 'bfd-requeue', 'wrapped'),
    (recipe, name) => {
      if (name === 'wrapped') return left('rows are packed whole, and none attends to another');
      if (name === 'bfd') return automatic('rows are packed whole, as here');
      recipe.overflow = 'split';
      return undefined;
    },
  ),
  completion_only_loss: becomes(
    '`loss_on = assistant`, or `all`',
    a.flag,
    (recipe, value) => {
      recipe.lossOn = value ? 'assistant' : 'all';
    },
    'lossOn',
  ),
  assistant_only_loss: becomes(
    '`loss_on = assistant`; without it, `all` for chats',
    a.flag,
    () => undefined,
    'lossOn',
  ),
  shuffle_dataset: here('rows are shuffled in every epoch'),
  chat_template_path: becomes(
    '`chat(style: file("…"))`',
    a.text,
    (recipe, path) => {
      if (!/\.jinja2?$/.test(path))
        return left('a template is read from a file: `chat(style: file("own.jinja"))`');
      recipe.style = { file: path };
      return undefined;
    },
    'style',
  ),
  loss_type: becomes(
    'the cross entropy of the tokens; losses of pairs become `objective = dpo()` or `simpo()`',
    a.names,
    (recipe, names) => {
      if (names.every((name) => /nll$/.test(name)))
        return automatic('the loss is the cross entropy of the tokens');
      if (names.every((name) => name === 'kto')) recipe.objective = 'kto';
      else if (names.includes('simpo')) recipe.objective = 'simpo';
      else if (names.some((name) => ['sigmoid', 'hinge', 'ipo'].includes(name))) recipe.objective ??= 'dpo';
      else return refused(NONE.loss);
      return recipe.objective === 'dpo' ? preferences.setPairLosses(recipe, names) : undefined;
    },
  ),
  eos_token: none(NONE.tokens),
  pad_token: here(BY_ITSELF.padding),
  ...each('padding_free pad_to_multiple_of eval_packing', here(BY_ITSELF.padding)),
  ...each(
    `dataset_num_proc dataset_kwargs dataset_streaming streaming dataset_batch_size ignore_bias_buffers`,
    here(BY_ITSELF.reading),
  ),
  _n_gpu: here(BY_ITSELF.kernels),
  accelerate_config: becomes('`engine` and `sharding` of a budget', a.text, (recipe, name) =>
    /\.(ya?ml|json)$/.test(name)
      ? left('import its settings as well: `--accelerate FILE`')
      : setShared(recipe, name),
  ),
  env: here('the environment is that of the command'),
  beta: preferences.beta,
  label_smoothing: preferences.smoothing,
  simpo_gamma: preferences.gamma,
  cpo_alpha: preferences.cpoAlpha,
  rpo_alpha: preferences.sftWeight,
  loss_weights: preferences.lossWeights,
  desirable_weight: preferences.desirable,
  undesirable_weight: preferences.undesirable,
  ...each('precompute_ref_log_probs precompute_ref_batch_size', here(BY_ITSELF.reference)),
  ...each('max_prompt_length max_completion_length', none('there is one `max_length`, of prompt and answer')),
  ...each(
    'disable_dropout generate_during_eval',
    here('preferences are learned without dropout, and nothing is written meanwhile'),
  ),
  center_rewards_coefficient: none('rewards are not centred'),
  ...each('ref_model model_ref', preferences.reference),
  ...each(
    'ref_model_init_kwargs sync_ref_model ref_model_mixup_alpha ref_model_sync_steps',
    none('the reference stays as it is, and is read as its files describe it'),
  ),
  reference_free: none('`dpo` and `kto` have a reference; `simpo` and `orpo` have none'),
  f_divergence_type: none('another divergence is not computed', 'reverse_kl'),
  f_alpha_divergence_coef: none('another divergence is not computed', 0.5),
  ...each('use_weighting ld_alpha', none('every pair, and every token, counts the same')),
  ...each('reward_funcs num_generations reward_weights', never(NONE.rewards)),
};

const MIXTURE: TranslationTable<Dataset> = {
  path: becomes('`hub("org/name")`, or a file', a.text, (dataset: Dataset, value) => {
    dataset.path = value;
  }),
  split: becomes('`split` of `hub`', a.text, (dataset: Dataset, value, _, at) => {
    dataset.split = value;
    dataset.splitAt = at;
  }),
  data_files: becomes('`files` of `hub`, or the file', a.names, (dataset: Dataset, value) => {
    dataset.files = value;
  }),
  data_dir: becomes('`files` of `hub`', a.text, (dataset: Dataset, value) => {
    dataset.files ??= [`${value}/**`];
  }),
  name: hasNone<Dataset>(
    'configurations of a data set are not known; `files: "folder/*"` of `hub` names their files',
    'default',
    'main',
  ),
  columns: hasNone<Dataset>('columns that no template reads are left alone'),
  fraction: hasNone<Dataset>(
    '`mix = [{ source: …, epochs: 0.5 }]` takes half of the rows of a further source',
    1,
  ),
};

export const trl: TranslationTable<Recipe> = { ...trainer, ...MODEL, ...DATA };

/** Objects of a script, whose arguments may be kept apart in the file. */
const SECTIONS =
  /^(sft_?config|training_args|training_arguments|args|model_?config|model_args|script_?arguments|script_args|dataset_args|peft_?config|lora_?config|(?:dpo|kto|orpo|cpo|reward)_?config|quantization_?config|bnb_?config)$/i;

/** The arguments without the names of the objects that they are for. */
export const flattened = (record: ForeignRecord): ForeignRecord => ({
  ...record,
  entries: record.entries.flatMap((entry) =>
    SECTIONS.test(entry.key) && entry.value.kind === 'record' ? entry.value.entries : [entry],
  ),
});

/** Defaults of `SFTConfig` and `ModelConfig` (of PEFT for a `LoraConfig` of one's own), and what several keys say together. */
export function settleTrl(recipe: Recipe, context: ImportContext, { record }: ImportedFile): void {
  const has = (key: string): boolean => {
    const value = valueIn(record, key);
    return value !== undefined && !isUnset(value);
  };
  const isPeft = ['r', 'target_modules', 'peft_type', 'task_type'].some(has);
  if (isPeft) recipe.method ??= 'lora';
  recipe.method ??= 'full';
  const { lora } = recipe;
  lora.rank ??= isPeft ? 8 : 16;
  lora.alpha ??= isPeft ? 8 : 32;
  lora.dropout ??= isPeft ? 0 : 0.05;
  // PEFT's own default for most families.
  if (lora.experts === undefined) lora.targets ??= 'query_value';
  settleObjective(recipe, context, record);
  recipe.rate ??= rateOf(recipe);
  settleTrainer(recipe, context, record);
  const length = valueIn(record, 'max_length');
  if (length !== undefined && isUnset(length)) {
    recipe.maxLength = 32_768;
    remark(recipe, 'max_length', 'There, rows may be of any length.');
  }
  recipe.maxLength ??= 1024;
  if (recipe.packing !== true && recipe.overflow === 'split') {
    recipe.overflow = undefined;
    revise(context, 'packing_strategy', automatic('rows are not packed'));
  }
  recipe.overflow ??= 'truncate';
  // TRL ignores the one where there are the others.
  if (has('datasets') && has('dataset_name')) {
    const name = valueIn(record, 'dataset_name');
    recipe.datasets = recipe.datasets.filter(({ at }) => at !== name?.span);
    revise(context, 'dataset_name', automatic('`datasets` decide, in TRL too'));
  }
  settleRows(recipe, record, context);
  preferences.settleObjective(recipe, context, { dropout: 'lora_dropout', cpo: !has('cpo_alpha') });
  settleSplits(recipe, context);
}

/** TRL's own rates: of `SFTConfig`, `RewardConfig`, and of the others for preferences. */
const rateOf = ({ objective }: Recipe): number =>
  objective === undefined ? 2e-5 : objective === 'reward' ? 1e-4 : 1e-6;

/** The trainer, which a file does not name, by keys that it alone has. */
function settleObjective(recipe: Recipe, context: ImportContext, record: ForeignRecord): void {
  const has = (...keys: readonly string[]): boolean =>
    keys.some((key) => {
      const value = valueIn(record, key);
      return value !== undefined && !isUnset(value);
    });
  const byLoss = recipe.objective;
  if (has('desirable_weight', 'undesirable_weight')) recipe.objective = 'kto';
  else if (has('simpo_gamma')) recipe.objective = 'simpo';
  else if (has('center_rewards_coefficient')) recipe.objective = 'reward';
  else if (has('precompute_ref_log_probs', 'beta') && recipe.objective === undefined) {
    recipe.objective = 'dpo';
    remark(recipe, 'objective', 'The file does not name its trainer: `orpo` and `kto` have a beta, too.');
  }
  if (byLoss !== recipe.objective)
    revise(context, 'loss_type', automatic(`\`${recipe.objective}\` has one loss`));
}

/** More arguments than anyone writes by hand. */
const WRITTEN = 60;

/** What TRL reads off the columns of the rows: texts, prompts with completions, or chats. */
function settleRows(recipe: Recipe, record: ForeignRecord, context: ImportContext): void {
  const mixture = valueIn(record, 'datasets');
  // Of a mixture, each data set has its own.
  const split =
    mixture === undefined || isUnset(mixture) ? textOf(valueIn(record, 'dataset_train_split')) : undefined;
  const named = textOf(valueIn(record, 'dataset_text_field'));
  // What a program wrote has every default, and says nothing of these rows.
  const field = record.entries.length > WRITTEN && named === 'text' ? undefined : named;
  const [first] = recipe.datasets;
  if (recipe.objective !== undefined) {
    for (const dataset of recipe.datasets) dataset.split ??= split;
    revise(context, 'dataset_text_field', automatic('rows are preferences, without a column of text'));
    settleValidation(recipe, first, record, context);
    return;
  }
  const columns = first?.path === undefined ? undefined : columnsIn(first.path, context);
  const isText =
    field !== undefined || columns?.includes('text') === true || columns?.includes('prompt') === true;
  const answers = valueIn(record, 'assistant_only_loss');
  const onlyAnswers = answers !== undefined && a.flag.read(answers) === true;
  const isChat = onlyAnswers || columns?.includes('messages') === true;
  const template = isText && !isChat ? 'completion' : 'chat';
  for (const dataset of recipe.datasets) {
    dataset.template = template;
    dataset.split ??= split;
    if (template === 'completion' && field !== undefined && field !== 'text') dataset.columns.text = field;
  }
  if (columns === undefined && field === undefined && !onlyAnswers)
    remark(
      recipe,
      'template',
      'TRL reads off the columns what the rows are: for `text`, or `prompt` and `completion`, write `completion()`.',
    );
  if (template === 'chat') {
    recipe.lossOn = onlyAnswers ? 'assistant' : 'all';
    revise(
      context,
      'completion_only_loss',
      left('of chats, `assistant_only_loss` says what the loss counts'),
    );
    revise(context, 'dataset_text_field', automatic('rows are chats, without a column of text'));
  }
  settleValidation(recipe, first, record, context);
}

/** Another split of the same rows, which a file does not have. */
function settleValidation(
  recipe: Recipe,
  first: Dataset | undefined,
  record: ForeignRecord,
  context: ImportContext,
): void {
  const strategy = textOf(valueIn(record, 'eval_strategy') ?? valueIn(record, 'evaluation_strategy'));
  const isAsked = strategy !== undefined && strategy !== 'no' && recipe.validShare === undefined;
  if (!isAsked || first === undefined) {
    revise(context, 'dataset_test_split', automatic('no other split is read for validation'));
    return;
  }
  if (isLocal(first.path ?? '', context)) {
    revise(context, 'dataset_test_split', left('a file has no split for validation'));
    remark(
      recipe,
      'source',
      'A file has no split for validation: `split = { train: 90%, valid: 10% }` makes one.',
    );
  } else {
    const split = textOf(valueIn(record, 'dataset_test_split')) ?? 'test';
    recipe.validation.push({ ...first, split });
  }
}
