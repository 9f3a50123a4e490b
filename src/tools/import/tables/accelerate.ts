/** accelerate: what the file of `accelerate launch --config_file` becomes. It says how a training is shared, and no training. */
import { a } from '../foreign.js';
import type { Recipe } from '../recipe.js';
import { becomes, each, type TranslationTable } from '../translation.js';
import { deepspeedConfig, fsdpConfig, nodes, processes, setShared } from './devices.js';
import { here, none } from './for-recipes.js';
import { BY_ITSELF, NONE } from './reasons.js';

export const accelerate: TranslationTable<Recipe> = {
  distributed_type: becomes('`engine` and `sharding` of a budget', a.value, (recipe, value) =>
    setShared(recipe, value.kind === 'scalar' ? String(value.value) : ''),
  ),
  num_processes: processes,
  num_machines: nodes,
  deepspeed_config: deepspeedConfig,
  fsdp_config: fsdpConfig,
  mixed_precision: here(BY_ITSELF.precision),
  ...each('machine_rank main_process_ip main_process_port rdzv_backend same_network', here(NONE.places)),
  ...each(
    `compute_environment main_training_function debug enable_cpu_affinity gpu_ids use_cpu commands command_file
    downcast_bf16 dynamo_backend dynamo_config dynamo_mode dynamo_use_fullgraph dynamo_use_dynamic ipex_config mpirun_config`,
    here(BY_ITSELF.kernels),
  ),
  ...each('parallelism_config megatron_lm_config', none(NONE.parallel)),
  ...each(
    'tpu_env tpu_use_cluster tpu_use_sudo tpu_name tpu_zone',
    none('PyTorch computes on GPUs of NVIDIA, or on the CPU'),
  ),
  fp8_config: none('nothing is computed in 8 bits'),
};
