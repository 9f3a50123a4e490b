import { patternProblem } from '../../models/adapters/patterns.js';
import { promptConfig } from '../../models/adapters/prompt.js';
import { isJson, type Json } from '../../models/json-file.js';
import { type LoraConfig, type ModelConfig, ModelError } from '../../models/types.js';

/** What an adapter folder says of its base. */
export interface AdapterBase {
  /** Name or path of the base model. */
  readonly name: string | null;
  readonly revision: string | null;
  /** Whether its linear layers are stored as `[inputs, outputs]`, which PEFT calls fan-in, fan-out. */
  readonly transposed?: boolean;
  /** Its config: what is written of its shape beside a prompt or bottlenecks. */
  readonly shape?: ModelConfig;
}

/** Release of PEFT whose `adapter_config.json` this is. */
const PEFT_VERSION = '0.21.2';

/** Fields of PEFT's LoraConfig at their defaults. */
const DEFAULTS = {
  alora_invocation_tokens: null,
  alpha_pattern: {},
  arrow_config: null,
  auto_mapping: null,
  bias: 'none',
  corda_config: null,
  ensure_weight_tying: false,
  eva_config: null,
  exclude_modules: null,
  fan_in_fan_out: false,
  inference_mode: true,
  init_lora_weights: true,
  kasa_config: null,
  layer_replication: null,
  layers_pattern: null,
  layers_to_transform: null,
  loftq_config: {},
  lora_bias: false,
  lora_ga_config: null,
  megatron_config: null,
  megatron_core: 'megatron.core',
  modules_to_save: null,
  monteclora_config: null,
  peft_type: 'LORA',
  peft_version: PEFT_VERSION,
  qalora_group_size: 16,
  rank_pattern: {},
  target_parameters: null,
  task_type: 'CAUSAL_LM',
  trainable_token_indices: null,
  use_bdlora: null,
  use_dora: false,
  use_qalora: false,
  use_rslora: false,
  velora_config: null,
} as const;

/** Fields of PEFT's PromptTuningConfig. */
const promptFields = (tokens: number, { name, revision, shape }: AdapterBase) => ({
  auto_mapping: null,
  base_model_name_or_path: name,
  inference_mode: true,
  modules_to_save: null,
  num_attention_heads: shape?.heads ?? null,
  num_layers: shape?.layers ?? null,
  num_transformer_submodules: 1,
  num_virtual_tokens: tokens,
  peft_type: 'PROMPT_TUNING',
  peft_version: PEFT_VERSION,
  prompt_tuning_init: 'RANDOM',
  prompt_tuning_init_text: null,
  revision,
  task_type: 'CAUSAL_LM',
  token_dim: shape?.hiddenSize ?? null,
  tokenizer_kwargs: null,
  tokenizer_name_or_path: null,
});

/** `adapter_config.json` as PEFT writes it: sorted keys, two spaces, ASCII, a float for the dropout. */
export function formatConfig(lora: LoraConfig, base: AdapterBase): string {
  return lora.virtualTokens === undefined
    ? written(loraFields(lora, base))
    : written(promptFields(lora.virtualTokens, base));
}

const loraFields = (lora: LoraConfig, base: AdapterBase): Readonly<Record<string, unknown>> => ({
  ...DEFAULTS,
  base_model_name_or_path: base.name,
  revision: base.revision,
  r: lora.rank,
  lora_alpha: lora.alpha,
  lora_dropout: lora.dropout,
  target_modules: [...lora.targets].sort(),
  use_rslora: lora.rslora ?? false,
  use_dora: lora.dora ?? false,
  rank_pattern: lora.rankPattern ?? {},
  alpha_pattern: lora.alphaPattern ?? {},
  layers_to_transform: lora.layers ?? null,
  fan_in_fan_out: base.transposed ?? false,
  modules_to_save: lora.modulesToSave ?? null,
});

function written(fields: Readonly<Record<string, unknown>>): string {
  const sorted = Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify(sorted, null, 2)
    .replace(/^( {2}"lora_dropout": \d+)(,?)$/m, '$1.0$2')
    .replace(
      /[\u007f-\uffff]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}

/** Fields that say nothing of the computation once the tensors are there. */
const IGNORED = new Set([
  'auto_mapping',
  'alpha_pattern',
  'base_model_name_or_path',
  'fan_in_fan_out',
  'inference_mode',
  'layers_to_transform',
  'lora_alpha',
  'lora_dropout',
  'megatron_core',
  'modules_to_save',
  'peft_type',
  'peft_version',
  'qalora_group_size',
  'r',
  'rank_pattern',
  'revision',
  'runtime_config',
  'target_modules',
  'task_type',
  'use_dora',
  'use_rslora',
]);

/** Fields of a prompt's config: how it began, and what the base has. */
const PROMPT_FIELDS = new Set(
  Object.keys(promptFields(0, { name: null, revision: null })).filter(
    (field) => field !== 'modules_to_save' && field !== 'num_transformer_submodules',
  ),
);

/** Values that leave a field without effect, besides null, false, and the empty list and object. */
const HARMLESS: Readonly<Record<string, readonly unknown[]>> = {
  bias: ['none'],
  num_transformer_submodules: [1],
  // Other initialisations, such as pissa, change the base weights as well.
  init_lora_weights: [true, false, 'gaussian', 'orthogonal'],
};

export interface ParsedConfig {
  readonly lora: Omit<LoraConfig, 'targets'>;
  /** Names or whole paths of modules; `undefined` where the file has a pattern. */
  readonly targets: readonly string[] | undefined;
  readonly base: AdapterBase;
}

/** Throws a {@link ModelError} `adapter_invalid` that names the first field that can't be honoured. */
export function parseAdapterConfig(json: Json, path: string): ParsedConfig {
  const fail = (field: string, must: string): never => {
    const found = JSON.stringify(json[field]) ?? 'missing';
    throw new ModelError(
      'adapter_invalid',
      path,
      `"${field}" is ${found}; ${must}.`,
      'Use a plain LoRA adapter as PEFT saves it.',
    );
  };
  const isPrompt = json['peft_type'] === 'PROMPT_TUNING';
  if (json['peft_type'] !== 'LORA' && !isPrompt)
    fail('peft_type', 'only LORA and PROMPT_TUNING are supported');
  const known = isPrompt ? PROMPT_FIELDS : IGNORED;
  for (const [field, value] of Object.entries(json)) {
    if (!known.has(field) && !isEmpty(value) && !HARMLESS[field]?.includes(value))
      fail(field, 'this feature is not supported');
  }
  const number = (field: string, holds: (value: number) => boolean, must: string): number => {
    const value = json[field];
    return typeof value === 'number' && holds(value) ? value : fail(field, must);
  };
  const text = (field: string): string | null => (typeof json[field] === 'string' ? json[field] : null);
  if (isPrompt) {
    const tokens = number('num_virtual_tokens', isRank, 'it must be a positive whole number');
    return {
      lora: promptConfig(tokens),
      targets: [],
      base: { name: text('base_model_name_or_path'), revision: text('revision') },
    };
  }
  const flag = (field: string): boolean => {
    const value = json[field] ?? false;
    return typeof value === 'boolean' ? value : fail(field, 'it must be true or false');
  };
  const layers = json['layers_to_transform'];
  const rank = number('r', isRank, 'it must be a positive whole number');
  const alpha = number('lora_alpha', isPositive, 'it must be a positive number');
  const dropout =
    json['lora_dropout'] == null
      ? 0
      : number('lora_dropout', (value) => value >= 0 && value < 1, 'it must be in [0, 1)');
  const ranks = patternsOf(json, 'rank_pattern', isRank, fail);
  const saved = namesOf(json['modules_to_save'], fail);
  const alphas = patternsOf(json, 'alpha_pattern', isPositive, fail);
  return {
    lora: {
      rank,
      alpha,
      dropout,
      ...(flag('use_rslora') ? { rslora: true } : {}),
      ...(flag('use_dora') ? { dora: true } : {}),
      ...(layers == null ? {} : { layers: layersOf(layers, fail) }),
      ...(ranks === undefined ? {} : { rankPattern: ranks }),
      ...(alphas === undefined ? {} : { alphaPattern: alphas }),
      ...(saved === undefined ? {} : { modulesToSave: saved }),
    },
    targets: targetsOf(json['target_modules'], fail),
    base: { name: text('base_model_name_or_path'), revision: text('revision') },
  };
}

type Fail = (field: string, must: string) => never;

const isRank = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;

function layersOf(value: unknown, fail: Fail): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((layer) =>
    typeof layer === 'number' && Number.isSafeInteger(layer) && layer >= 0
      ? layer
      : fail('layers_to_transform', 'it must be a list of layers'),
  );
}

/** Numbers by regular expressions; nothing where the object is empty. */
function patternsOf(
  json: Json,
  field: string,
  holds: (value: number) => boolean,
  fail: Fail,
): Readonly<Record<string, number>> | undefined {
  const value = json[field];
  if (value == null) return undefined;
  if (!isJson(value)) return fail(field, 'it must be an object');
  const entries = Object.entries(value).map(([pattern, number]): [string, number] =>
    typeof number === 'number' && holds(number) && patternProblem(pattern) === undefined
      ? [pattern, number]
      : fail(field, 'it must give a number for each pattern, which is matched in little time'),
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Modules that are saved whole; nothing where there are none. */
function namesOf(value: unknown, fail: Fail): readonly string[] | undefined {
  if (value == null || (Array.isArray(value) && value.length === 0)) return undefined;
  if (!Array.isArray(value)) return fail('modules_to_save', 'it must be a list of module names');
  return value.map((item: unknown) =>
    typeof item === 'string' ? item : fail('modules_to_save', 'it must be a list of module names'),
  );
}

function targetsOf(value: unknown, fail: Fail): readonly string[] | undefined {
  if (typeof value === 'string') return undefined;
  if (!Array.isArray(value) || value.length === 0)
    return fail('target_modules', 'it must be a list of module names');
  return value.map((item: unknown) =>
    typeof item === 'string' ? item : fail('target_modules', 'it must be a list of module names'),
  );
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJson(value) && Object.keys(value).length === 0;
}
