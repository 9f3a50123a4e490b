/** LLaMA-Factory: what each key of its YAML or JSON becomes. Defaults: `src/llamafactory/hparams/`. */
import { a, isUnset, oneOf, valueIn } from '../foreign.js';
import { type Dataset, type Recipe, remark } from '../recipe.js';
import {
  automatic,
  becomes,
  each,
  type ImportContext,
  type ImportedFile,
  left,
  refused,
  revise,
  type TranslationTable,
  unless,
} from '../translation.js';
import * as common from './common.js';
import { textOf } from './common.js';
import { exporting, settleExport } from './exports.js';
import { here, never, none } from './for-recipes.js';
import { addNamed } from './llama-factory-datasets.js';
import * as preferences from './preferences.js';
import { BY_ITSELF, NONE } from './reasons.js';
import { settleTrainer, trainer } from './trainer.js';

const MODEL: TranslationTable<Recipe> = {
  model_name_or_path: common.base,
  model_revision: common.revision,
  adapter_name_or_path: becomes(
    '`start = peft("folder")`, or `adapter` of a merge',
    a.names,
    (recipe, names) => {
      recipe.start = names.at(-1);
      recipe.adapters = names;
    },
    'start',
  ),
  quantization_bit: becomes(
    '`using qlora` for 4',
    a.whole,
    (recipe, value) => {
      if (value !== 4) return left(`${NONE.quantised}; it is read as it is stored`);
      recipe.fourBit = true;
      return undefined;
    },
    'fourBit',
  ),
  quantization_method: none(NONE.quantised, 'bnb', 'bitsandbytes'),
  quantization_type: none(NONE.quantised, 'nf4'),
  ...each('double_quantization quantization_device_map device_map', here(BY_ITSELF.planner)),
  ...each(
    `cache_dir adapter_folder offload_folder use_fast_tokenizer low_cpu_mem_usage print_param_status
    use_kv_cache`,
    here(BY_ITSELF.model),
  ),
  trust_remote_code: here(BY_ITSELF.code),
  ...each('add_special_tokens new_special_tokens', common.specialTokens),
  resize_vocab: here('embedding and head have a row for each token'),
  add_tokens: common.plainTokens,
  ...each('split_special_tokens new_special_tokens_config init_special_tokens', none(NONE.tokens)),
  ...each(
    'rope_scaling upcast_layernorm upcast_lmhead_output moe_aux_loss_coef',
    none('the base is read as its files describe it'),
  ),
  ...each('shift_attn', none('attention is that of the base')),
  mixture_of_depths: never('the architecture of the base stays as it is'),
  train_from_scratch: none(
    '`base = untrained("folder")` has random weights, and its shapes from a folder with `config.json`',
  ),
  ...each(
    'flash_attn use_unsloth use_unsloth_gc enable_liger_kernel use_v1_kernels',
    here(BY_ITSELF.kernels),
  ),
  ...each('disable_gradient_checkpointing use_reentrant_gc', here(BY_ITSELF.planner)),
  ...each(
    'hf_hub_token ms_hub_token om_hub_token',
    none('write `secret hf_token = env("HF_TOKEN")`, and `token: hf_token` in `hf` and `hub`'),
  ),
  ...each(
    `image_max_pixels image_min_pixels image_do_pan_and_scan crop_to_patches video_max_pixels video_min_pixels video_fps video_maxlen
    use_audio_in_video audio_sampling_rate freeze_vision_tower freeze_multi_modal_projector freeze_language_model media_dir`,
    never(NONE.images),
  ),
  ...each(
    `infer_backend vllm_maxlen vllm_gpu_util vllm_enforce_eager vllm_max_lora_rank
    vllm_config sglang_maxlen sglang_mem_fraction sglang_tp_size sglang_config sglang_lora_backend`,
    here(BY_ITSELF.generation),
  ),
  ...each(
    'export_quantization_bit export_quantization_dataset export_quantization_nsamples export_quantization_maxlen',
    none('in few bits, a merge writes types of GGUF files: `dtype = q4_k_m`'),
  ),
  ...exporting,
};

const METHOD: TranslationTable<Recipe> = {
  stage: becomes(
    '`sft` and `pt`; `dpo`, `kto` and `rm` become an `objective`',
    oneOf('sft', 'pt', 'rm', 'ppo', 'dpo', 'kto'),
    (recipe, stage) => {
      if (stage === 'ppo') return refused(NONE.rewards);
      if (stage !== 'sft' && stage !== 'pt') recipe.objective = stage === 'rm' ? 'reward' : stage;
      return undefined;
    },
  ),
  finetuning_type: becomes(
    '`using lora` or `using full`',
    oneOf('lora', 'full', 'oft', 'freeze'),
    (recipe, type) => {
      if (type === 'freeze') return refused(NONE.parts);
      if (type === 'oft') return refused('adapters are LoRA or QLoRA');
      recipe.method = type;
      return undefined;
    },
  ),
  lora_rank: common.loraField('`lora = { rank: … }`', a.rank, 'rank'),
  lora_alpha: common.loraField('`lora = { alpha: … }`', a.positive, 'alpha'),
  lora_dropout: common.loraField('`lora = { dropout: … }`', a.dropout, 'dropout'),
  lora_target: common.targets,
  additional_target: common.modulesToSave,
  use_rslora: common.loraField('`lora = { rslora: true }`', a.flag, 'rslora'),
  use_dora: common.loraField('`lora = { dora: true }`', a.flag, 'dora'),
  pissa_init: becomes(
    '`lora = { init: pissa }`',
    a.flag,
    (recipe, value) => {
      if (value) recipe.lora.init = 'pissa';
      return undefined;
    },
    'lora',
  ),
  pissa_iter: none('PiSSA decomposes exactly, without iterations', -1),
  pissa_convert: here('an adapter that starts from PiSSA is saved as one that fits the original base'),
  create_new_adapter: none('`start` continues the adapter; merge it into the base for a new one'),
  loraplus_lr_ratio: common.field('`loraplus_ratio` of the optimizer', a.positive, 'loraplusRatio'),
  loraplus_lr_embedding: none('factors over the embedding have the rate of the others', 1e-6),
  ...each(
    'freeze_trainable_layers freeze_trainable_modules freeze_extra_modules use_llama_pro',
    never(NONE.parts),
  ),
  ...each('module_dropout oft_rank oft_block_size oft_target', never('adapters are LoRA or QLoRA')),
  ...each(
    `ppo_buffer_size ppo_epochs ppo_score_norm ppo_target ppo_whiten_rewards reward_model reward_model_adapters
    reward_model_quantization_bit reward_model_type`,
    never(NONE.rewards),
  ),
  pref_beta: preferences.beta,
  pref_loss: becomes(
    '`loss` of `dpo`, or `objective = orpo()` or `simpo()`',
    oneOf('sigmoid', 'hinge', 'ipo', 'orpo', 'simpo', 'kto_pair'),
    (recipe, name) => {
      if (name === 'kto_pair')
        return left('pairs are read as one good and one bad answer by `objective = kto()`');
      recipe.pairLosses = [name];
      return undefined;
    },
  ),
  pref_ftx: preferences.sftWeight,
  dpo_label_smoothing: preferences.smoothing,
  simpo_gamma: preferences.gamma,
  kto_chosen_weight: preferences.desirable,
  kto_rejected_weight: preferences.undesirable,
  ...each('pref_bco_weight', none('there is no loss of a binary classifier', 0)),
  ...each('ld_alpha', none('every token of an answer counts the same')),
  ref_model: preferences.reference,
  ref_model_adapters: none('`merge` puts an adapter into the model that `reference` names'),
  ref_model_quantization_bit: none('the reference is read as it is stored'),
  ...each('use_dft_loss use_asft_loss asft_alpha use_eaft_loss eaft_alpha', never(NONE.loss)),
  ...each(
    'use_galore use_apollo use_badam use_adam_mini use_muon',
    none('ftpc does not have this optimizer; AdamW takes its place'),
  ),
  ...each(
    `galore_target galore_rank galore_update_interval galore_scale galore_proj_type galore_layerwise apollo_target apollo_rank
    apollo_update_interval apollo_scale apollo_proj apollo_proj_type apollo_scale_type apollo_layerwise apollo_scale_front badam_mode
    badam_start_block badam_switch_mode badam_switch_interval badam_update_ratio badam_mask_mode badam_verbose`,
    none('ftpc does not have this optimizer'),
  ),
  early_stopping_steps: common.field('`stop = { patience: … }`', a.count, 'patience'),
  disable_shuffling: becomes('`order = file`', a.flag, (recipe, value) => {
    if (!value) return automatic('rows are shuffled');
    recipe.order = 'file';
    return undefined;
  }),
  ...each('pure_bf16 mixed_precision', here(BY_ITSELF.precision)),
  ...each('fp8 fp8_backend fp8_enable_fsdp_float8_all_gather', none('nothing is computed in 8 bits')),
  ...each('plot_loss compute_accuracy include_effective_tokens_per_second', here(BY_ITSELF.reports)),
  ...each(
    `use_swanlab swanlab_project swanlab_workspace swanlab_run_name swanlab_mode swanlab_api_key
    swanlab_logdir swanlab_lark_webhook_url swanlab_lark_secret`,
    here(BY_ITSELF.reports),
  ),
  ...each(
    `enable_torch_profiler profiler_output_dir profiler_wait_steps profiler_warmup_steps
    profiler_active_steps profiler_repeat profiler_record_shapes profiler_profile_memory
    profiler_with_stack profile_modules`,
    here(BY_ITSELF.reports),
  ),
};

const DATA: TranslationTable<Recipe> = {
  dataset: becomes(
    'the `source` of a data stage, as `dataset_info.json` describes it',
    a.names,
    () => undefined,
  ),
  eval_dataset: becomes('another data stage, for `validate`', a.names, () => undefined),
  dataset_dir: becomes('where `dataset_info.json` is', a.text, (_, dir) =>
    /^REMOTE:|^ONLINE$/.test(dir) ? left('name the data sets of the Hub: `hub("org/name")`') : undefined,
  ),
  template: becomes(
    "`style` of `chat()`; where ftpc has no such family, the model's own template",
    a.text,
    (recipe, name) => common.setStyle(recipe, name),
    'style',
  ),
  default_system: common.field('`chat(system: …)`', a.text, 'system'),
  cutoff_len: common.field('`max_length` of the format stage', a.count, 'maxLength'),
  train_on_prompt: becomes(
    '`loss_on = all`',
    a.flag,
    (recipe, value) => {
      if (value) recipe.lossOn = 'all';
      else recipe.lossOn ??= 'assistant';
    },
    'lossOn',
  ),
  mask_history: becomes(
    '`loss_on = last`',
    a.flag,
    (recipe, value) => {
      if (value) recipe.lossOn = 'last';
    },
    'lossOn',
  ),
  packing: becomes(
    '`batch = { packing: true }`',
    a.flag,
    (recipe, value) => {
      // `neat_packing` packs in any case.
      recipe.packing = value || recipe.packing === true;
    },
    'packing',
  ),
  neat_packing: becomes(
    '`batch = { packing: true }`',
    a.flag,
    (recipe, value) => {
      if (value) recipe.packing = true;
      return undefined;
    },
    'packing',
  ),
  val_size: common.validationShare,
  max_samples: common.field('`limit`, where there is one data set', a.count, 'limit'),
  mix_strategy: becomes(
    '`mix` and `stopping_strategy` of the data stage: `first_exhausted` for `interleave_under`, `all_exhausted` for `interleave_over`',
    oneOf('concat', 'interleave_under', 'interleave_over', 'interleave_once'),
    (recipe, value) => {
      if (value === 'concat') return automatic('data sets are read one after the other, then shuffled');
      if (value === 'interleave_once') return automatic('every row is used once, and rows are shuffled');
      recipe.interleaved = value === 'interleave_under' ? 'first_exhausted' : 'all_exhausted';
      return undefined;
    },
  ),
  interleave_probs: becomes('`share` of each source of `mix`', a.amounts, (recipe, value) => {
    recipe.turns = value;
  }),
  ...each(
    `streaming buffer_size overwrite_cache preprocessing_batch_size preprocessing_num_workers
    tokenized_path data_shared_file_system ignore_pad_token_for_loss`,
    here(BY_ITSELF.reading),
  ),
  eval_on_each_dataset: none('a stage validates on one split'),
  ...each('tool_format', none('what tools are there is text of a message')),
  ...each(
    'enable_thinking preserve_thinking',
    none('the chat template of the model decides what it does with thoughts'),
  ),
  ...each(
    `predict_with_generate eval_num_beams do_sample temperature top_p top_k num_beams max_length
    max_new_tokens repetition_penalty length_penalty skip_special_tokens`,
    here(BY_ITSELF.generation),
  ),
};

const MACHINE: TranslationTable<Recipe> = {
  ...each('ray_num_workers ray_init_kwargs master_addr master_port', none(NONE.places, 1)),
  ...each(
    `use_mca use_megatron_bridge use_hyper_parallel hyper_parallel_args hyper_parallel_cp_size tensor_parallel
    tensor_parallel_size tensor_model_parallel_size pipeline_model_parallel_size expert_model_parallel_size context_parallel_size sequence_parallel
    use_distributed_optimizer overlap_param_gather overlap_grad_reduce virtual_pipeline_model_parallel_size`,
    none(NONE.parallel, 1),
  ),
  ...each(
    `bias_activation_fusion apply_rope_fusion moe_grouped_gemm moe_token_dispatcher_type
    recompute_granularity recompute_method recompute_num_layers use_packed_sequences`,
    here(BY_ITSELF.kernels),
  ),
  export_hf_on_finish: here(BY_ITSELF.store),
  ...each(
    `use_kt kt_cpu_activation kt_weight_path kt_non_expert_weight_path kt_expert_checkpoint_path
    kt_use_lora_experts kt_lora_expert_num kt_lora_expert_intermediate_size kt_config`,
    none('experts are computed where the rest is'),
  ),
};

/** Rows in the order of the file have no other order. */
const unlessInOrder: TranslationTable<Recipe> = Object.fromEntries(
  ['train_sampling_strategy', 'group_by_length'].flatMap((key) => {
    const translation = trainer[key];
    return translation === undefined ? [] : [[key, unless('disable_shuffling', translation)]];
  }),
);

/** Version 0; the files for version 1 have a table of their own. */
export const llamaFactory: TranslationTable<Recipe> = {
  ...trainer,
  ...unlessInOrder,
  ...MODEL,
  ...METHOD,
  ...DATA,
  ...MACHINE,
};

/** Defaults of LLaMA-Factory, and what several keys say together. */
export function settleLlamaFactory(recipe: Recipe, context: ImportContext, file: ImportedFile): void {
  recipe.method ??= 'lora';
  recipe.rate ??= 5e-5;
  const { lora } = recipe;
  lora.rank ??= 8;
  lora.alpha ??= 2 * lora.rank;
  lora.targets ??= 'all_linear';
  recipe.maxLength ??= 2048;
  // embedding and head are trained with an adapter where tokens were added
  if ((recipe.specialTokens ?? recipe.plainTokens) !== undefined)
    lora.modulesToSave ??= ['embed_tokens', 'lm_head'];
  settleTrainer(recipe, context, file.record);
  const isPretraining = textOf(valueIn(file.record, 'stage')) === 'pt';
  // Texts for pre-training are always put together.
  if (isPretraining) {
    recipe.packing ??= true;
    recipe.lossOn = 'all';
    for (const key of ['train_on_prompt', 'mask_history'])
      revise(context, key, automatic('all of a text is trained on'));
  }
  // Rows of a training are cut to the length; those that are packed are dropped if they are longer, and texts without
  // answers are cut into several.
  const isPacked = recipe.packing === true && recipe.objective === undefined;
  recipe.overflow = isPretraining ? 'split' : isPacked ? 'drop' : 'truncate';
  settlePreferences(recipe, context);
  readNamed(recipe, context, file);
  // a reward model keeps its dropout there
  preferences.settleObjective(
    recipe,
    context,
    recipe.objective === 'reward' ? {} : { dropout: 'lora_dropout' },
  );
  if (isPretraining) for (const dataset of recipe.datasets) asText(dataset);
  if (recipe.limit !== undefined && recipe.datasets.length > 1) {
    recipe.limit = undefined;
    revise(context, 'max_samples', left('`limit` counts the rows of all data sets together, not of each'));
  }
  settleTurns(recipe, context);
  settleExport(recipe, context);
  if (recipe.merges !== true && (recipe.adapters?.length ?? 0) > 1)
    revise(
      context,
      'adapter_name_or_path',
      left('training continues from one adapter; merge those before into the base'),
    );
}

/** Data sets take turns where there are several. */
function settleTurns(recipe: Recipe, context: ImportContext): void {
  const { interleaved, turns, datasets } = recipe;
  const isAlone = datasets.length < 2;
  if (isAlone) revise(context, 'mix_strategy', automatic('there is one data set'));
  if (isAlone || interleaved === undefined) {
    revise(context, 'interleave_probs', automatic('data sets do not take turns'));
    recipe.interleaved = undefined;
  } else if (turns !== undefined && !areShares(turns, datasets.length)) {
    recipe.turns = undefined;
    revise(context, 'interleave_probs', left('each data set needs one, and none may be above 99 % of all'));
  }
}

const areShares = (turns: readonly number[], datasets: number): boolean =>
  turns.length === datasets && Math.max(...turns) <= 0.99 * turns.reduce((sum, turn) => sum + turn, 0);

/** The losses of `stage: dpo`, of which two are objectives of their own. */
function settlePreferences(recipe: Recipe, context: ImportContext): void {
  const [loss] = recipe.pairLosses ?? [];
  if (recipe.objective !== 'dpo') {
    revise(context, 'pref_loss', automatic('it is of `stage: dpo`'));
    return;
  }
  if (loss === 'orpo' || loss === 'simpo') recipe.objective = loss;
  else if (loss === 'hinge' || loss === 'ipo') recipe.pairLoss = loss;
  if (loss === 'orpo') remark(recipe, 'objective', 'There, of chosen texts the answers alone are learned.');
  if (recipe.objective === 'dpo' && (recipe.sftWeight ?? 0) > 0)
    remark(recipe, 'objective', 'There, `sft` is the mean over rows; here, over tokens.');
}

function readNamed(recipe: Recipe, context: ImportContext, { record, folder }: ImportedFile): void {
  const dir = textOf(valueIn(record, 'dataset_dir')) ?? 'data';
  for (const [key, where] of [
    ['dataset', 'datasets'],
    ['eval_dataset', 'validation'],
  ] as const) {
    const value = valueIn(record, key);
    const names = value === undefined || isUnset(value) ? undefined : a.names.read(value);
    if (value === undefined || names === undefined) continue;
    const verdict = addNamed({ names, at: value.span, dir, fileFolder: folder, key, where }, recipe, context);
    if (verdict !== undefined) revise(context, key, verdict);
  }
}

/** For pre-training, the question is the text. */
function asText(dataset: Dataset): void {
  if (dataset.template !== 'chat') return;
  dataset.template = 'completion';
  const { instruction = 'instruction' } = dataset.columns;
  dataset.columns = instruction === 'text' ? {} : { text: instruction };
}
