/** `TrainingArguments` of transformers 5, which LLaMA-Factory and TRL take as they are: what each becomes. */
import { a, type ForeignRecord, oneOf, valueIn } from '../foreign.js';
import type { Recipe } from '../recipe.js';
import {
  automatic,
  becomes,
  each,
  type ImportContext,
  left,
  revise,
  type TranslationTable,
  unless,
} from '../translation.js';
import * as common from './common.js';
import { TRAINER_SEED } from './common.js';
import { devices } from './devices.js';
import { here, none } from './for-recipes.js';
import { BY_ITSELF, NONE } from './reasons.js';

export const trainer: TranslationTable<Recipe> = {
  learning_rate: common.rate,
  optim: common.optimizer,
  adafactor: becomes('`optimizer = adafactor(…)`', a.flag, (recipe, value) => {
    if (!value) return automatic('`optim` names the optimizer');
    recipe.optimizer = 'adafactor';
    return undefined;
  }),
  lr_scheduler_type: common.schedule,
  lr_scheduler_kwargs: common.scheduleArguments,
  warmup_ratio: common.warmupRatio,
  warmup_steps: becomes(
    '`warmup` of the schedule; 0 leaves it to `warmup_ratio`',
    a.amount,
    (recipe, value) => {
      if (value === 0) return automatic('no warm-up by steps');
      if (value < 1) recipe.warmupRatio = value;
      else recipe.warmupSteps = Math.round(value);
      return undefined;
    },
    'warmup',
  ),
  weight_decay: common.field('`decay` of the optimizer', a.amount, 'decay'),
  adam_beta1: common.field('`beta1` of the optimizer', a.share, 'beta1'),
  adam_beta2: common.field('`beta2` of the optimizer', a.share, 'beta2'),
  adam_epsilon: common.field('`epsilon` of the optimizer', a.positive, 'epsilon'),
  max_grad_norm: common.clip,
  ...each('optim_args optim_target_modules', none('the optimizers of ftpc do not have it')),
  label_smoothing_factor: common.field('`label_smoothing`', a.share, 'smoothing'),
  per_device_train_batch_size: common.field(
    '`batch = { global: … }`: times the accumulation',
    a.rows,
    'micro',
  ),
  gradient_accumulation_steps: common.field(
    '`batch = { global: … }`: times the micro batch',
    a.rows,
    'accumulation',
  ),
  num_train_epochs: common.field('`stop = { epochs: … }`', a.positive, 'epochs'),
  max_steps: common.maxSteps,
  neftune_noise_alpha: common.field('`neftune_noise_alpha`', a.positive, 'neftune'),
  seed: common.field('`seed`', a.seed, 'seed'),
  data_seed: none('one `seed` is for everything'),
  group_by_length: unless(
    'train_sampling_strategy',
    becomes('`order = by_length`', a.flag, (recipe, value) => {
      if (!value) return automatic('rows are shuffled');
      recipe.order = 'by_length';
      return undefined;
    }),
  ),
  train_sampling_strategy: becomes(
    '`order = by_length`, or `file` for `sequential`',
    oneOf('random', 'sequential', 'group_by_length'),
    (recipe, name) => {
      if (name === 'random') return automatic('rows are shuffled');
      recipe.order = name === 'group_by_length' ? 'by_length' : 'file';
      return undefined;
    },
  ),
  save_steps: common.everySteps('saves'),
  eval_steps: common.everySteps('validations'),
  save_strategy: common.strategy('savesBySteps'),
  ...each('eval_strategy evaluation_strategy', common.strategy('validatesBySteps')),
  save_total_limit: common.field('`checkpoint = { keep: … }`', a.count, 'keep'),
  metric_for_best_model: common.bestMetric,
  ...each('load_best_model_at_end greater_is_better', here(BY_ITSELF.best)),
  ...each(
    `per_device_eval_batch_size per_gpu_train_batch_size per_gpu_eval_batch_size eval_accumulation_steps auto_find_batch_size
    eval_do_concat_batches batch_eval_metrics prediction_loss_only eval_use_gather_object`,
    here(BY_ITSELF.micro),
  ),
  ...each(
    `gradient_checkpointing gradient_checkpointing_kwargs torch_empty_cache_steps use_cache
    activation_offloading`,
    here(BY_ITSELF.planner),
  ),
  ...each(
    `bf16 fp16 tf32 bf16_full_eval fp16_full_eval fp16_opt_level fp16_backend half_precision_backend`,
    here(BY_ITSELF.precision),
  ),
  ...each(
    `torch_compile torch_compile_backend torch_compile_mode torchdynamo jit_mode_eval use_ipex use_liger_kernel
    liger_kernel_config use_cpu no_cuda use_mps_device tpu_num_cores tpu_metrics_debug full_determinism past_index mp_parameters`,
    here(BY_ITSELF.kernels),
  ),
  ...each(
    `dataloader_num_workers dataloader_prefetch_factor dataloader_pin_memory dataloader_persistent_workers dataloader_drop_last
    remove_unused_columns label_names length_column_name ignore_data_skip`,
    here(BY_ITSELF.reading),
  ),
  ...each(
    `output_dir overwrite_output_dir save_safetensors save_only_model save_on_each_node resume_from_checkpoint
    restore_callback_states_from_checkpoint enable_jit_checkpoint do_train do_eval eval_delay eval_on_start`,
    here(BY_ITSELF.store),
  ),
  do_predict: none('an `eval` stage answers held-out rows'),
  ...each(
    `logging_steps logging_strategy logging_dir logging_first_step logging_nan_inf_filter log_level log_level_replica
    log_on_each_node report_to run_name project trackio_space_id trackio_bucket_id trackio_static_space_id disable_tqdm debug
    skip_memory_metrics include_tokens_per_second include_num_input_tokens_seen include_inputs_for_metrics include_for_metrics
    use_legacy_prediction_loop`,
    here(BY_ITSELF.reports),
  ),
  ...devices,
  parallelism_config: none(NONE.parallel),
  ...each('local_rank ray_scope', none(NONE.places, -1, 'last')),
  ...each(
    `push_to_hub hub_model_id hub_strategy hub_private_repo hub_always_push hub_revision push_to_hub_model_id
    push_to_hub_organization`,
    none(NONE.upload),
  ),
  ...each('hub_token push_to_hub_token', none(NONE.upload)),
};

/** Defaults of Trainer, and what several keys say together. */
export function settleTrainer(recipe: Recipe, context: ImportContext, record: ForeignRecord): void {
  recipe.optimizer ??= 'adamw_torch_fused';
  recipe.schedule ??= 'linear';
  recipe.micro ??= 8;
  recipe.seed ??= TRAINER_SEED;
  common.settleLength(recipe, context, { epochs: 3, key: 'num_train_epochs', tool: 'Trainer' });
  recipe.savesBySteps ??= true;
  recipe.validatesBySteps ??= false;
  const steps = valueIn(record, 'warmup_steps');
  if (steps !== undefined && (a.amount.read(steps) ?? 0) > 0)
    revise(
      context,
      'warmup_ratio',
      left('`warmup_steps` decides, as in transformers 4; in its version 5 the ratio does'),
    );
  recipe.warmupRatio ??= 0;
}
