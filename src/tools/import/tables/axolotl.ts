/** Axolotl: what each key of its YAML becomes. Defaults: `src/axolotl/utils/schemas/`, `core/builders/`. */
import { a, type ForeignRecord, oneOf, valueIn } from '../foreign.js';
import { type Recipe, remark } from '../recipe.js';
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
import { datasets } from './axolotl-datasets.js';
import * as common from './common.js';
import { TRAINER_SEED } from './common.js';
import { settleSplits } from './datasets.js';
import { devices, processes, replicas, shards } from './devices.js';
import { here, never, none } from './for-recipes.js';
import * as preferences from './preferences.js';
import { BY_ITSELF, NONE } from './reasons.js';

/** Besides the tokens that have a meaning of their own. */
const ADDITIONAL = 'additional_special_tokens';

const MODEL: TranslationTable<Recipe> = {
  base_model: common.base,
  ...each('model_revision revision_of_model', common.revision),
  adapter: becomes('`using lora`, `using qlora`; without a value, `using full`', a.text, (recipe, name) => {
    if (name !== 'lora' && name !== 'qlora') return refused('adapters are LoRA or QLoRA');
    recipe.method = 'lora';
    if (name === 'qlora') recipe.fourBit = true;
    return undefined;
  }),
  load_in_4bit: common.bits('`using qlora`'),
  load_in_8bit: common.eightBit,
  lora_model_dir: common.field('`start = peft("folder")`', a.text, 'start'),
  lora_r: common.loraField('`lora = { rank: … }`', a.rank, 'rank'),
  lora_alpha: common.loraField('`lora = { alpha: … }`', a.positive, 'alpha'),
  lora_dropout: common.loraField('`lora = { dropout: … }`', a.dropout, 'dropout'),
  lora_target_modules: unless('lora_target_linear', common.targets),
  lora_target_linear: becomes(
    '`lora = { targets: all_linear }`',
    a.flag,
    (recipe, value) => {
      if (!value) return automatic('`targets` says which layers have an adapter');
      recipe.lora.targets = 'all_linear';
      return undefined;
    },
    'lora',
  ),
  lora_modules_to_save: common.modulesToSave,
  lora_rank_pattern: common.loraField('`lora = { rank_pattern: … }`', a.ranksByName, 'rankPattern'),
  lora_alpha_pattern: common.loraField('`lora = { alpha_pattern: … }`', a.alphasByName, 'alphaPattern'),
  peft_layers_to_transform: common.loraField('`lora = { layers: … }`', a.counts, 'layers'),
  peft_use_dora: common.loraField('`lora = { dora: true }`', a.flag, 'dora'),
  peft_use_rslora: common.loraField('`lora = { rslora: true }`', a.flag, 'rslora'),
  peft_init_lora_weights: common.initialWeights,
  loraplus_lr_ratio: common.field('`loraplus_ratio` of the optimizer', a.positive, 'loraplusRatio'),
  loraplus_lr_embedding: none('factors over the embedding have the rate of the others', 1e-6),
  lora_exclude_modules: common.exclude,
  lora_target_parameters: common.experts,
  ...each(
    'peft_layer_replication peft_layers_pattern peft_trainable_token_indices peft',
    none('`lora` has no such setting'),
  ),
  ...each('lora_fan_in_fan_out peft_ensure_weight_tying peft_autocast_adapter_dtype', here(BY_ITSELF.model)),
  ...each(
    `model_type tokenizer_type tokenizer_config tokenizer_use_fast tokenizer_legacy
    tokenizer_use_mistral_common tokenizer_save_jinja_files base_model_config is_falcon_derived_model
    is_llama_derived_model is_mistral_derived_model is_qwen_derived_model cls_model_config type_of_model
    base_model_ignore_patterns processor_kwargs`,
    here(BY_ITSELF.model),
  ),
  ...each(
    `model_config overrides_of_model_config model_kwargs overrides_of_model_kwargs rope_scaling`,
    none('the base is read as its files describe it'),
  ),
  trust_remote_code: here(BY_ITSELF.code),
  bnb_config_kwargs: here(BY_ITSELF.planner),
  processor_type: never(NONE.images),
  ...each('image_size image_resize_algorithm freeze_mm_modules role_boundaries', never(NONE.images)),
  num_labels: never('rows for a classifier have a text and a label: `template = labelled()`'),
  hf_use_auth_token: none(
    'write `secret hf_token = env("HF_TOKEN")`, and `token: hf_token` in `hf` and `hub`',
  ),
  ...each(
    `gptq gptq_groupsize gptq_model_v1 gptq_disable_exllama model_quantization_config
    model_quantization_config_kwargs quantization use_onebitllms quantize_moe_experts`,
    none(NONE.quantised),
  ),
  special_tokens: becomes<Recipe, ForeignRecord>(
    '`special_tokens` of the base; `pad_token` needs nothing',
    a.record,
    (recipe, record) => {
      const more = valueIn(record, ADDITIONAL);
      const tokens = more && a.texts.read(more);
      if (tokens !== undefined) common.addTokens(recipe, tokens);
      const others = record.entries.filter(({ key }) => key !== 'pad_token' && key !== ADDITIONAL);
      if (others.length > 0) return left(NONE.tokens);
      return tokens === undefined ? automatic(BY_ITSELF.padding) : undefined;
    },
  ),
  tokens: becomes(
    '`added_tokens` of the base',
    a.texts,
    (recipe, tokens) => void common.addTokens(recipe, tokens, 'plainTokens'),
  ),
  ...each(
    `added_tokens_overrides eot_tokens resize_token_embeddings_to_32x mean_resizing_embeddings
    shrink_embeddings embeddings_skip_upcast fix_untrained_tokens`,
    none(NONE.tokens),
  ),
  reinit_weights: none(
    '`base = untrained("folder")` has random weights, and its shapes from a folder with `config.json`',
  ),
};

const DATA: TranslationTable<Recipe> = {
  datasets: datasets('datasets', 'datasets'),
  test_datasets: datasets('test_datasets', 'validation'),
  pretraining_dataset: datasets('pretraining_dataset', 'datasets'),
  val_set_size: common.validationShare,
  chat_template: common.chatTemplate,
  chat_template_jinja: none('save the template as a file: `chat(style: file("own.jinja"))`'),
  chat_template_kwargs: none('a chat template gets the messages and nothing else'),
  default_system_message: common.field('`chat(system: …)`', a.text, 'system'),
  sequence_len: common.field('`max_length` of the format stage', a.count, 'maxLength'),
  excess_length_strategy: becomes(
    '`overflow = drop` or `truncate`',
    oneOf('drop', 'truncate', 'raise'),
    (recipe, name) => {
      if (name === 'raise')
        return left(
          'rows that are too long are dropped and reported; `require dropped <= 0%` makes that an error',
        );
      if (name === 'drop') return automatic('rows that are too long are dropped, as here');
      recipe.overflow = name;
      return undefined;
    },
  ),
  train_on_inputs: becomes(
    '`loss_on = all`',
    a.flag,
    (recipe, value) => {
      recipe.lossOn = value ? 'all' : 'assistant';
    },
    'lossOn',
  ),
  sample_packing: common.field('`batch = { packing: true }`', a.flag, 'packing'),
  dataset_exact_deduplication: common.field('`dedupe = [exact]`', a.flag, 'exactDuplicates'),
  group_by_length: unless(
    'curriculum_sampling',
    becomes('`order = by_length`', a.flag, (recipe, value) => {
      if (!value) return automatic('rows are shuffled');
      recipe.order = 'by_length';
      return undefined;
    }),
  ),
  curriculum_sampling: becomes('`order = file`', a.flag, (recipe, value) => {
    if (!value) return automatic('rows are shuffled');
    recipe.order = 'file';
    return undefined;
  }),
  ...each(
    'eval_sequence_len min_sample_len max_prompt_len',
    none('there is one `max_length`, for training and validation'),
  ),
  ...each(
    `dataset_prepared_path dataset_num_proc dataset_processes dataset_keep_in_memory dataset_shard_num
    dataset_shard_idx num_dataset_shards_to_save skip_prepare_dataset remove_unused_columns
    preprocess_iterable is_preprocess streaming streaming_multipack_buffer_size dataloader_num_workers
    dataloader_pin_memory dataloader_prefetch_factor local_rank shuffle_merged_datasets
    shuffle_before_merging_datasets`,
    here(BY_ITSELF.reading),
  ),
  push_dataset_to_hub: none(NONE.upload),
  ...each(
    `eval_sample_packing pad_to_sequence_len pad_to_multiple_of sample_packing_bin_size
    sample_packing_group_size sample_packing_eff_est sample_packing_sequentially
    sample_packing_seq_len_multiplier sample_packing_mp_start_method sample_packing_drop_attention_mask
    multipack_real_batches pretrain_multipack_attn pretrain_multipack_buffer_size
    pretraining_sample_concatenation batch_flattening total_num_tokens total_supervised_tokens
    max_packed_sequence_len dataloader_drop_last`,
    here(
      'rows are packed so that none attends to another; validation is not packed, and the last step of an epoch is smaller',
    ),
  ),
};

const TRAINING: TranslationTable<Recipe> = {
  learning_rate: common.rate,
  optimizer: common.optimizer,
  lr_scheduler: common.schedule,
  lr_scheduler_kwargs: common.scheduleArguments,
  warmup_ratio: common.warmupRatio,
  warmup_steps: common.warmup,
  cosine_min_lr_ratio: common.scheduleArgument('min_lr_rate'),
  ...each(
    `cosine_constant_lr_ratio lr_div_factor lr_quadratic_warmup jagged_restart_steps
    jagged_restart_warmup_steps jagged_restart_anneal_steps eta_min`,
    none(NONE.schedule),
  ),
  weight_decay: common.field('`decay` of the optimizer', a.amount, 'decay'),
  adam_beta1: common.field('`beta1` of the optimizer', a.share, 'beta1'),
  adam_beta2: common.field('`beta2` of the optimizer', a.share, 'beta2'),
  ...each('adam_epsilon adam_eps', common.field('`epsilon` of the optimizer', a.positive, 'epsilon')),
  max_grad_norm: common.clip,
  ...each(
    `adam_beta3 adam_epsilon2 optim_args optim_target_modules torchdistx_path dion_lr dion_momentum
    dion_rank_fraction dion_rank_multiple_of grokfast_alpha grokfast_lamb`,
    none('the optimizers of ftpc do not have it'),
  ),
  ...each(
    `qgalore_rank qgalore_update_proj_gap qgalore_scale qgalore_proj_type qgalore_proj_quant
    qgalore_proj_bits qgalore_proj_group_size qgalore_cos_threshold qgalore_gamma_proj
    qgalore_queue_size`,
    none('the optimizers of ftpc do not have it'),
  ),
  ...each(
    'embedding_lr embedding_lr_scale lr_groups',
    none('all weights have one rate; LoRA+ has `loraplus_ratio`'),
  ),
  micro_batch_size: common.field('`batch = { global: … }`: times the accumulation', a.rows, 'micro'),
  gradient_accumulation_steps: common.field(
    '`batch = { global: … }`: times the micro batch',
    a.rows,
    'accumulation',
  ),
  batch_size: unless(
    'gradient_accumulation_steps',
    becomes('`batch = { global: … }`', a.rows, (recipe: Recipe, value) => {
      recipe.stepRows = value;
    }),
  ),
  ...each('eval_batch_size auto_find_batch_size', here(BY_ITSELF.micro)),
  num_epochs: common.field('`stop = { epochs: … }`', a.positive, 'epochs'),
  max_steps: common.maxSteps,
  early_stopping_patience: common.field('`stop = { patience: … }`', a.count, 'patience'),
  neftune_noise_alpha: common.field('`neftune_noise_alpha`', a.positive, 'neftune'),
  noisy_embedding_alpha: unless(
    'neftune_noise_alpha',
    common.field('`neftune_noise_alpha`', a.positive, 'neftune'),
  ),
  seed: common.field('`seed`', a.seed, 'seed'),
  save_steps: common.everySteps('saves'),
  eval_steps: common.everySteps('validations'),
  ...each(
    'saves_per_epoch evals_per_epoch',
    none('`checkpoint = { every: … }` counts steps, whose number per epoch only the rows tell', 0),
  ),
  save_strategy: common.strategy('savesBySteps'),
  ...each('eval_strategy evaluation_strategy', common.strategy('validatesBySteps')),
  save_total_limit: common.field('`checkpoint = { keep: … }`', a.count, 'keep'),
  metric_for_best_model: common.bestMetric,
  ...each('load_best_model_at_end greater_is_better', here(BY_ITSELF.best)),
  ...each(
    'loss_watchdog_threshold loss_watchdog_patience',
    none(
      'a training whose loss diverges ends by itself (`watch`), by how far it rises and not at a threshold',
    ),
  ),
};

/** What runs elsewhere, looks different, or is done by ftpc itself. */
const MACHINE: TranslationTable<Recipe> = {
  ...each(
    `gradient_checkpointing gradient_checkpointing_kwargs activation_offloading selective_checkpointing
    layer_offloading lora_on_cpu low_cpu_mem_usage max_memory gpu_memory_limit torch_empty_cache_steps
    gc_steps gc_collect_steps qlora_sharded_model_loading experimental_skip_move_to_device device
    device_map`,
    here(BY_ITSELF.planner),
  ),
  ...each(
    `bf16 fp16 tf32 bfloat16 float16 float32 torch_dtype fp32_norms fp32_norm_classes`,
    here(BY_ITSELF.precision),
  ),
  ...each('fp8 fp8_enable_fsdp_float8_all_gather', none('nothing is computed in 8 bits')),
  ...each(
    `attn_implementation flash_attention flash_attn_cross_entropy flash_attn_rms_norm
    flash_attn_fuse_mlp flash_attn_fuse_qkv flash_attn_d512 flash_optimum sdp_attention sdpa_varlen
    xformers_attention eager_attention flex_attention flex_attn_compile_kwargs sage_attention
    s2_attention large_head_attention fused_attn_kernel gemma4_hybrid_attn_impl ring_attn_func
    heads_k_stride scaling_softmax scaling_softmax_factor scaling_softmax_bias`,
    here(BY_ITSELF.kernels),
  ),
  ...each(
    `use_kernels lora_mlp_kernel lora_qkv_kernel lora_o_kernel lora_embedding_kernel torch_compile
    torch_compile_backend torch_compile_mode torch_compile_options deepcompile chunked_cross_entropy
    chunked_cross_entropy_num_chunks cut_cross_entropy tiled_mlp tiled_mlp_num_shards
    tiled_mlp_use_original_mlp experts_implementation`,
    here(BY_ITSELF.kernels),
  ),
  ...each(
    `liger_rms_norm liger_rms_norm_gated liger_glu_activation liger_layer_norm liger_rope liger_swiglu
    liger_cross_entropy liger_fused_linear_cross_entropy liger_use_token_scaling`,
    here(BY_ITSELF.kernels),
  ),
  ...each(
    `use_scattermoe use_sonicmoe expert_backend moe_bnb_fast moe_dequant_chunk_size moe_grouped_backend
    nonexpert_quantization nvfp4_merge_aware nvfp4_merge_aware_start_step use_dsv4_kernels
    use_glm_dsa_kernels dsv4_bf16_all dsv4_fp4_grouped_mode dsv4_fp8_lora_kernel dsv4_fp8_nonexpert_mode
    dsv4_shared_mlp_lora_kernel gemma4_fp8_nonexpert gemma4_nf4_nonexpert llama4_linearized_experts
    dense_mixer`,
    here(BY_ITSELF.kernels),
  ),
  plugins: becomes('kernels need nothing; other plugins are not there', a.texts, (_, names) =>
    names.every((name) => /cut_cross_entropy|liger|kernels|spectrum/.test(name))
      ? automatic(BY_ITSELF.kernels)
      : left('ftpc has no plugins'),
  ),
  ...devices,
  ddp: replicas,
  world_size: processes,
  dp_shard_size: shards,
  dp_replicate_size: none('shards are over all devices, without replicas of them', 1),
  ...each(
    `context_parallel_size sequence_parallel_degree tensor_parallel_size expert_parallel_size expert_parallel_backend
    expert_parallel_fallback_on_unsupported expert_parallel_num_nvl_bytes expert_parallel_num_rdma_bytes
    expert_parallel_token_capacity`,
    none(NONE.parallel, 1),
  ),
  ...each('use_ray ray_num_workers ray_run_name resources_per_worker', none(NONE.places)),
  ...each(
    `output_dir save_safetensors save_only_model save_first_step resume_from_checkpoint
    auto_resume_from_checkpoints dynamic_checkpoint axolotl_config_path strict debug`,
    here(BY_ITSELF.store),
  ),
  ...each(
    `logging_steps use_wandb wandb_project wandb_entity wandb_watch wandb_name wandb_log_model wandb_mode
    wandb_run_id use_mlflow mlflow_tracking_uri mlflow_experiment_name mlflow_run_name
    hf_mlflow_log_artifacts use_comet comet_api_key comet_workspace comet_project_name
    comet_experiment_key comet_mode comet_online comet_experiment_config use_tensorboard include_tkps
    include_tokens_per_second profiler_steps profiler_steps_start use_otel_metrics otel_metrics_host
    otel_metrics_port use_trackio trackio_project_name trackio_run_name trackio_space_id project_name`,
    here(BY_ITSELF.reports),
  ),
  ...each(
    `use_swanlab swanlab_project swanlab_experiment_name swanlab_description swanlab_mode
    swanlab_workspace swanlab_log_model swanlab_log_completions swanlab_completion_log_interval
    swanlab_completion_max_buffer swanlab_api_key swanlab_api_host swanlab_web_host
    swanlab_lark_webhook_url swanlab_lark_secret`,
    here(BY_ITSELF.reports),
  ),
  ...each('hub_model_id hub_strategy hub_revision', none(NONE.upload)),
  ...each(
    `generate_samples num_generation_samples generation_max_new_tokens generation_temperature
    generation_top_p generation_top_k generation_do_sample generation_prompt_ratio eval_table_size
    eval_max_new_tokens`,
    here(BY_ITSELF.generation),
  ),
  ...each(
    `do_bench_eval bench_dataset bench_split do_causal_lm_eval eval_causal_lm_metrics lm_eval_tasks
    lm_eval_batch_size lm_eval_model lm_eval_post_train`,
    none('an `eval` stage has other metrics: `perplexity`, `exact_match`, `rouge_l`'),
  ),
  ...each(
    'merge_lora merge_method',
    none('`merge merged { base = …, adapter = adapter.best }` writes a merged model'),
  ),
  ...each(
    `gradio_title gradio_share gradio_server_name gradio_server_port gradio_max_new_tokens
    gradio_temperature vllm`,
    here(BY_ITSELF.generation),
  ),
  ...each(
    `secrets gpu gpu_count provider node_count volumes branch dockerfile_commands memory timeout
    memory_preprocess timeout_preprocess`,
    none('says where a cloud runs it; `ftpc run` runs it here'),
  ),
};

/** Preferences, and what ftpc does not train. */
const METHODS: TranslationTable<Recipe> = {
  rl: becomes(
    '`objective = dpo()`, `orpo()`, `simpo()` or `kto()`',
    oneOf('dpo', 'ipo', 'orpo', 'simpo', 'kto', 'grpo', 'gdpo', 'ebft'),
    (recipe, name) => {
      if (name === 'grpo' || name === 'gdpo' || name === 'ebft') return refused(NONE.rewards);
      recipe.objective = name === 'ipo' ? 'dpo' : name;
      if (name === 'ipo') recipe.pairLoss = 'ipo';
      return undefined;
    },
  ),
  reward_model: becomes('`objective = reward()`', a.flag, (recipe, value) => {
    if (!value) return automatic('no reward model is trained');
    recipe.objective = 'reward';
    return undefined;
  }),
  rl_beta: preferences.beta,
  dpo_beta: unless('rl_beta', preferences.beta),
  orpo_alpha: unless('rl_beta', preferences.beta),
  simpo_gamma: preferences.gamma,
  rpo_alpha: preferences.sftWeight,
  cpo_alpha: preferences.cpoAlpha,
  kto_desirable_weight: preferences.desirable,
  kto_undesirable_weight: preferences.undesirable,
  dpo_label_smoothing: preferences.smoothing,
  dpo_loss_type: preferences.pairLosses,
  dpo_loss_weights: preferences.lossWeights,
  precompute_ref_log_probs: here(BY_ITSELF.reference),
  ...each('ref_model model_ref', preferences.reference),
  ...each('dpo_padding_free dpo_use_liger_kernel dpo_use_logits_to_keep', here(BY_ITSELF.kernels)),
  dpo_generate_during_eval: here(BY_ITSELF.generation),
  ...each('dpo_use_weighting dpo_norm_loss', none('every pair counts the same')),
  center_rewards_coefficient: none('rewards are not centred'),
  ...each('process_reward_model trl ebft', never(NONE.rewards)),
  ...each(
    `kd_trainer kd_alpha kd_ce_alpha kd_temperature kd_beta kd_normalize_topk kd_online_server
    kd_online_server_base_url kd_online_timeout kd_online_topk kd_temperature_min`,
    never('ftpc does not distil from another model'),
  ),
  ...each('diffusion', never('ftpc trains models that predict the next token')),
  ...each('use_eaft eaft_alpha eaft_k', never(NONE.loss)),
  ...each(
    `unfrozen_parameters spectrum_top_fraction spectrum_model_name lisa_n_layers lisa_step_interval
    lisa_layers_attribute`,
    never(NONE.parts),
  ),
  ...each(
    'relora relora_prune_ratio relora_prune_method relora_cpu_offload mora',
    never('an adapter is trained in one go, as LoRA or DoRA'),
  ),
  trainer_cls: never('another trainer cannot be called'),
  ...each('qat', none('weights are trained as they are, without a quantisation to come')),
  llmcompressor: none('weights are not pruned'),
  ...each(
    'use_pose pose_split_on_token_ids pose_max_context_len pose_num_chunks',
    never('positions count from the start of a row'),
  ),
};

/** `rl` says how data sets are read, wherever it is written. */
const FIRST = ['rl', 'reward_model'];
export const methodFirst = (record: ForeignRecord): ForeignRecord => ({
  ...record,
  entries: [
    ...record.entries.filter(({ key }) => FIRST.includes(key)),
    ...record.entries.filter(({ key }) => !FIRST.includes(key)),
  ],
});

export const axolotl: TranslationTable<Recipe> = { ...MODEL, ...DATA, ...TRAINING, ...MACHINE, ...METHODS };

const hasNoTargets = ({ lora: { targets, experts } }: Recipe): boolean =>
  targets === undefined && experts === undefined;

/** Defaults of Axolotl, and what several keys say together. */
export function settleAxolotl(recipe: Recipe, context: ImportContext, { record }: ImportedFile): void {
  recipe.method ??= 'full';
  recipe.optimizer ??= 'adamw_torch_fused';
  recipe.schedule ??= 'cosine';
  recipe.maxLength ??= 512;
  recipe.seed ??= TRAINER_SEED;
  common.settleLength(recipe, context, { epochs: 1, key: 'num_epochs', tool: 'Axolotl' });
  if (recipe.method === 'lora' && recipe.start === undefined && hasNoTargets(recipe)) {
    recipe.lora.targets = 'all_linear';
    remark(recipe, 'lora', 'The file names no linear layers for the adapter; here, all have one.');
  }
  if (recipe.datasets[0]?.template === 'completion') {
    recipe.overflow = 'split';
    revise(context, 'excess_length_strategy', automatic('texts that are too long are cut into several rows'));
  }
  preferences.settleObjective(recipe, context, {
    dropout: 'lora_dropout',
    cpo: valueIn(record, 'cpo_alpha') === undefined,
  });
  // A number of steps decides, whatever the strategy is.
  recipe.savesBySteps = true;
  recipe.validatesBySteps = true;
  if (valueIn(record, 'warmup_steps') !== undefined)
    revise(context, 'warmup_ratio', left('`warmup_steps` decides; Axolotl does not take both'));
  if (recipe.warmupSteps === undefined && recipe.warmupRatio === undefined) usualWarmup(recipe);
  // Axolotl makes two of one.
  if (recipe.warmupSteps === 1) recipe.warmupSteps = 2;
  settleSplits(recipe, context);
}

function usualWarmup(recipe: Recipe): void {
  if (recipe.steps === undefined) {
    recipe.warmupRatio = 0.03;
    remark(recipe, 'optimizer', "Axolotl's own warm-up: 3 % of the steps, but at most 100 steps.");
    return;
  }
  const steps = Math.min(Math.floor(0.03 * recipe.steps), 100);
  if (steps === 0) recipe.warmupRatio = 0;
  else recipe.warmupSteps = steps;
}
