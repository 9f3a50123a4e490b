/** How several devices share a training, as DeepSpeed, FSDP and DDP say it: a budget, and what may be kept off the devices. */
import { resolve } from 'node:path';
import { HostError } from '../../../language/host/host.js';
import { anyObject, isJson, type Json, tryJson } from '../../../language/host/json.js';
import type { Sharding } from '../../../language/ir/engines.js';
import { a, type ForeignNode, type ForeignRecord, plain, type Reader } from '../foreign.js';
import { type Recipe, remark } from '../recipe.js';
import {
  automatic,
  becomes,
  each,
  type ImportContext,
  left,
  type Translation,
  type TranslationTable,
  translateEntries,
  type Verdict,
} from '../translation.js';
import { here } from './for-recipes.js';
import { BY_ITSELF, NONE } from './reasons.js';

/** Whatever else the file says, several devices share the training. */
function share(recipe: Recipe, sharding?: Sharding): undefined {
  recipe.sharing.isShared = true;
  recipe.sharing.sharding = sharding ?? recipe.sharing.sharding;
}

const leaveToPlanner = (recipe: Recipe, what: string): undefined => {
  share(recipe);
  remark(
    recipe,
    'engine',
    `${what}; here, each device has a replica of the model where one fits, and a shard otherwise.`,
  );
};

function offload(recipe: Recipe): undefined {
  share(recipe);
  recipe.sharing.offloads = true;
}

/** ZeRO of DeepSpeed: 0 shares nothing, 1 the optimiser's state, 2 gradients as well, 3 the weights too. */
function setZeroStage(recipe: Recipe, stage: number): undefined {
  if (stage === 3) {
    remark(recipe, 'sharding', 'There, ZeRO-3 of DeepSpeed; FSDP2 has the same shards.');
    return share(recipe, 'fsdp');
  }
  if (stage === 0) return share(recipe, 'ddp');
  return leaveToPlanner(recipe, `ZeRO-${stage} has shards of the optimiser's state, not of the weights`);
}

interface Zero {
  readonly stage?: number;
  readonly offloads: boolean;
  /** Settings that Trainer has as well, and that it wants to be `auto`. */
  readonly others: readonly string[];
}

const zeroOf = (json: Json): Zero => {
  const zero = isJson(json['zero_optimization']) ? json['zero_optimization'] : {};
  const device = (name: string): unknown => (isJson(zero[name]) ? zero[name]['device'] : undefined);
  const { stage } = zero;
  return {
    ...(typeof stage === 'number' && { stage }),
    offloads: ['offload_param', 'offload_optimizer'].some((name) =>
      ['cpu', 'nvme'].includes(String(device(name))),
    ),
    others: ['optimizer', 'scheduler'].filter((name) => json[name] !== undefined),
  };
};

/** `deepspeed_configs/zero3_cpuoffload.json`, `ds_z2_config.json`: what names have in common. */
const zeroByName = (name: string): Zero => {
  const stage = /(?:^|[^a-z])z(?:ero)?[-_]?([0-3])(?!\d)/i.exec(name)?.[1];
  return {
    ...(stage !== undefined && { stage: Number(stage) }),
    offloads: /offload/i.test(name),
    others: [],
  };
};

/** What a file of DeepSpeed says, if it is here; else what its name does. */
function zeroAt(name: string, { host, folder }: ImportContext): Zero {
  try {
    const json = tryJson(anyObject, host.readText(resolve(folder, name)));
    return json === undefined ? zeroByName(name) : zeroOf(json);
  } catch (error) {
    if (error instanceof HostError) return zeroByName(name);
    throw error;
  }
}

const textOrRecord: Reader<string | ForeignRecord> = {
  expects: 'the name of a file, or settings with their values',
  read: (value) => a.record.read(value) ?? a.text.read(value),
};

export const deepspeed: Translation<Recipe> = becomes(
  '`engine`, and `sharding = fsdp` for ZeRO-3, of a budget; `fallback = [cpu_offload]` where it offloads',
  textOrRecord,
  (recipe, value, context) => {
    const json = typeof value === 'string' ? undefined : plain(value);
    const zero = typeof value === 'string' ? zeroAt(value, context) : zeroOf(isJson(json) ? json : {});
    return setZero(recipe, zero);
  },
);

function setZero(recipe: Recipe, { stage, offloads, others }: Zero): Verdict {
  share(recipe);
  if (offloads) offload(recipe);
  if (stage === undefined || stage > 3)
    return left('the file is not here, and its name does not tell the stage of ZeRO');
  setZeroStage(recipe, stage);
  return others.length === 0
    ? undefined
    : left(`its ${others.join(' and ')} would take precedence there; here, those of this file count`);
}

/** A word of `fsdp` or of `sharding_strategy`; the latter has numbers, too (torch, `ShardingStrategy`). */
const STRATEGIES: Readonly<Record<string, (recipe: Recipe) => Verdict>> = {
  full_shard: (recipe) => share(recipe, 'fsdp'),
  1: (recipe) => share(recipe, 'fsdp'),
  true: (recipe) => share(recipe, 'fsdp'),
  shard_grad_op: (recipe) => leaveToPlanner(recipe, 'SHARD_GRAD_OP keeps the weights whole in a step'),
  2: (recipe) => leaveToPlanner(recipe, 'SHARD_GRAD_OP keeps the weights whole in a step'),
  no_shard: (recipe) => share(recipe, 'ddp'),
  3: (recipe) => share(recipe, 'ddp'),
  hybrid_shard: hybrid,
  hybrid_shard_zero2: hybrid,
  4: hybrid,
  5: hybrid,
  offload: (recipe) => offload(recipe),
  auto_wrap: () => undefined,
};

function hybrid(recipe: Recipe): Verdict {
  share(recipe, 'fsdp');
  return left('shards are over all devices, not over those of each machine');
}

function setStrategies(recipe: Recipe, words: readonly string[]): Verdict {
  const verdicts = words.map((word) => {
    const name = word.toLowerCase();
    return Object.hasOwn(STRATEGIES, name)
      ? STRATEGIES[name]?.(recipe)
      : left('FSDP has no such strategy that is known here');
  });
  return verdicts.find((verdict) => verdict !== undefined);
}

const wordsOf = (value: ForeignNode): readonly string[] =>
  (value.kind === 'list' ? value.items : [value])
    .flatMap((one) => (one.kind === 'scalar' ? String(one.value ?? '').split(/[\s,]+/) : []))
    .filter((word) => word !== '');

const strategy = (doc: string): Translation<Recipe> =>
  becomes(doc, a.value, (recipe, value) =>
    value.kind === 'scalar' && value.value === false
      ? automatic('nothing is sharded')
      : setStrategies(recipe, wordsOf(value)),
  );

export const offloaded: Translation<Recipe> = becomes(
  '`fallback = [cpu_offload]`',
  a.flag,
  (recipe, value) => (value ? offload(recipe) : automatic('shards stay on their devices where they fit')),
);

const OF_FSDP = 'blocks are sharded by FSDP2, and what is trained is written whole';

/** Each with `fsdp_` before it, too, as accelerate has them. */
const eitherName = (table: TranslationTable<Recipe>): TranslationTable<Recipe> => ({
  ...table,
  ...Object.fromEntries(Object.entries(table).map(([key, translation]) => [`fsdp_${key}`, translation])),
});

const FSDP: TranslationTable<Recipe> = eitherName({
  ...each('offload_params cpu_offload', offloaded),
  sharding_strategy: strategy('`sharding`'),
  reshard_after_forward: becomes('`sharding = fsdp`', a.value, (recipe, value) =>
    wordsOf(value).join('') === 'false'
      ? leaveToPlanner(recipe, 'Weights that are not sharded again after the forward pass stay whole')
      : setStrategies(recipe, wordsOf(value)),
  ),
  activation_checkpointing: here(BY_ITSELF.planner),
  ...each(
    `state_dict_type final_state_dict_type auto_wrap_policy transformer_layer_cls_to_wrap min_num_params backward_prefetch
    backward_prefetch_policy forward_prefetch use_orig_params sync_module_states cpu_ram_efficient_loading limit_all_gathers
    version mixed_precision_policy ignored_modules enabled xla xla_fsdp_v2 xla_fsdp_settings xla_fsdp_grad_ckpt`,
    here(OF_FSDP),
  ),
});

/** `fsdp_config`, which only FSDP has. */
export const fsdpConfig: Translation<Recipe> = becomes(
  '`sharding = fsdp` of a budget, and `fallback = [cpu_offload]`',
  textOrRecord,
  (recipe, value, context) => {
    if (typeof value === 'string') return left('write its settings into this file, under the same key');
    share(recipe, recipe.sharing.sharding ?? 'fsdp');
    translateEntries(value, FSDP, recipe, context, 'fsdp_config.');
    return undefined;
  },
);

/** `zero_stage` and the like of accelerate's file. */
const DEEPSPEED: TranslationTable<Recipe> = {
  zero_stage: becomes('`sharding`', a.whole, (recipe, stage) =>
    stage >= 0 && stage <= 3 ? setZeroStage(recipe, stage) : left('ZeRO has the stages 0 to 3'),
  ),
  ...each(
    'offload_optimizer_device offload_param_device',
    becomes('`fallback = [cpu_offload]`', a.text, (recipe, device) =>
      device === 'none' ? automatic('shards stay on their devices where they fit') : offload(recipe),
    ),
  ),
  deepspeed_config_file: deepspeed,
  ...each(
    'gradient_accumulation_steps gradient_clipping',
    here('the file of the training says it, and its value counts'),
  ),
  ...each(
    `zero3_init_flag zero3_save_16bit_model deepspeed_multinode_launcher deepspeed_hostfile deepspeed_inclusion_filter
    deepspeed_exclusion_filter deepspeed_moe_layer_cls_names offload_optimizer_nvme_path offload_param_nvme_path`,
    here('DeepSpeed is not used: FSDP2 has the shards'),
  ),
};

export const deepspeedConfig: Translation<Recipe> = becomes(
  '`engine`, and `sharding = fsdp` for ZeRO-3, of a budget; `fallback = [cpu_offload]` where it offloads',
  a.record,
  (recipe, record, context) => {
    share(recipe);
    translateEntries(record, DEEPSPEED, recipe, context, 'deepspeed_config.');
    return undefined;
  },
);

/** What accelerate, TRL and LLaMA-Factory call a way to share: `FSDP`, `fsdp2`, `zero3`, `MULTI_GPU`. */
export function setShared(recipe: Recipe, name: string): Verdict {
  const word = name.toLowerCase();
  const stage = /^zero([0-3])$/.exec(word)?.[1];
  if (stage !== undefined) return setZeroStage(recipe, Number(stage));
  if (/^fsdp[12]?$/.test(word)) return share(recipe, 'fsdp');
  if (/^(multi_\w+|ddp)$/.test(word)) return share(recipe, 'ddp');
  if (word === 'deepspeed') return share(recipe);
  return /^(no|false|single_gpu)$/.test(word) ? automatic('one device') : left(NONE.parallel);
}

/** Processes of all machines: one per device. */
export const processes: Translation<Recipe> = becomes(
  '`devices` of a budget, of each machine, and `batch = { global: … }`',
  a.rows,
  (recipe, value) => {
    recipe.sharing.processes = value;
  },
);

export const nodes: Translation<Recipe> = becomes('`nodes` of a budget', a.rows, (recipe, value) => {
  recipe.sharing.nodes = value;
});

/** Replicas, said as such. */
export const replicas: Translation<Recipe> = becomes(
  '`sharding = ddp` of a budget',
  a.flag,
  (recipe, value) =>
    value ? share(recipe, 'ddp') : automatic('several devices are asked for elsewhere, or none'),
);

/** Devices that have the shards of one replica. */
export const shards: Translation<Recipe> = becomes(
  '`sharding = fsdp` of a budget, and its `devices`',
  a.rows,
  (recipe, value) => {
    if (value === 1) return automatic('nothing is sharded');
    recipe.sharing.processes ??= value;
    return share(recipe, 'fsdp');
  },
);

/** Keys of Trainer and of others that mean the same in all. */
export const devices: TranslationTable<Recipe> = {
  deepspeed,
  fsdp: strategy('`engine` and `sharding` of a budget: `fsdp` for `full_shard`, `ddp` for `no_shard`'),
  fsdp_config: fsdpConfig,
  ...each(
    'fsdp_min_num_params fsdp_transformer_layer_cls_to_wrap fsdp_version fsdp_final_state_dict_type',
    here(OF_FSDP),
  ),
  ...each(
    `ddp_find_unused_parameters ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph ddp_backend ddp_timeout
    average_tokens_across_devices accelerator_config`,
    here('the devices add up sums over all tokens of a step, whichever of them has which rows'),
  ),
};
