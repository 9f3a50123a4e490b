import { isHead } from '../../models/adapters/classifier.js';
import { patternProblem } from '../../models/adapters/patterns.js';
import { isJson, type Json } from '../../models/json-file.js';
import { type LoraConfig, ModelError } from '../../models/types.js';
import { type AdapterBase, PEFT_VERSION } from './adapter-base.js';
import { isVirtual, knownFields, VIRTUAL, virtualConfig } from './virtual-config.js';

export type { AdapterBase } from './adapter-base.js';

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

/** `adapter_config.json` as PEFT writes it: sorted keys, two spaces, ASCII, a float for the dropout. */
export const formatConfig = (lora: LoraConfig, base: AdapterBase): string =>
  written(virtualConfig(lora, base) ?? loraFields(lora, base));

/**
 * Name that PEFT keeps for an adapter over no layer at all: the head over labels alone is trained, and the rest of the
 * config is that of an adapter of which there is nothing.
 */
const NO_TARGETS = 'dummy-target-modules';
const NO_FACTORS = { r: 8, lora_alpha: 8 } as const;

/** What PEFT saves whole for `SEQ_CLS`, whatever the family calls its head. */
const CLASSIFIERS = ['classifier', 'score'] as const;
const CLASSIFICATION = 'SEQ_CLS';

const loraFields = (lora: LoraConfig, base: AdapterBase): Readonly<Record<string, unknown>> => ({
  ...DEFAULTS,
  base_model_name_or_path: base.name,
  revision: base.revision,
  lora_dropout: lora.dropout,
  ...(isHead(lora)
    ? { ...NO_FACTORS, target_modules: NO_TARGETS }
    : { r: lora.rank, lora_alpha: lora.alpha, target_modules: [...lora.targets].sort() }),
  use_rslora: lora.rslora ?? false,
  use_dora: lora.dora ?? false,
  rank_pattern: lora.rankPattern ?? {},
  alpha_pattern: lora.alphaPattern ?? {},
  layers_to_transform: lora.layers ?? null,
  fan_in_fan_out: base.transposed ?? false,
  ...(lora.labels === undefined
    ? { modules_to_save: lora.modulesToSave ?? null }
    : { modules_to_save: [...(lora.modulesToSave ?? []), ...CLASSIFIERS], task_type: CLASSIFICATION }),
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
  'exclude_modules',
  'fan_in_fan_out',
  'inference_mode',
  'layers_pattern',
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

/** What takes layers out of those that `target_modules` names: which are left, the tensors say. */
const NARROWING = ['exclude_modules', 'layers_pattern'] as const;

/** Values that leave a field without effect, besides null, false, and the empty list and object. */
const HARMLESS: Readonly<Record<string, readonly unknown[]>> = {
  bias: ['none'],
  num_transformer_submodules: [1],
  // Other initialisations, such as pissa, change the base weights as well.
  init_lora_weights: [true, false, 'gaussian', 'orthogonal'],
};

export interface ParsedConfig {
  readonly lora: Omit<LoraConfig, 'targets'>;
  /** Names or whole paths of modules, none where the head alone is trained; `undefined` where only the tensors tell. */
  readonly targets: readonly string[] | undefined;
  /** A head over labels comes with it. */
  readonly classifies: boolean;
  readonly base: AdapterBase;
}

/** How to fix a folder that PEFT would not have written so. */
export const AS_SAVED = 'Use an adapter that PEFT saved, of a supported kind and with supported options.';

/** The way round what is not read. */
const otherwise = (train: string): string =>
  `${train}, or let PEFT merge it (\`merge_and_unload\`) and name the merged model as the base.`;
const OTHER_KIND = otherwise('Train an adapter of one of these kinds');
export const OTHERWISE = otherwise('Train the adapter without it');

/** Throws a {@link ModelError} `adapter_invalid` that names the first field that can't be honoured. */
export function parseAdapterConfig(json: Json, path: string): ParsedConfig {
  const fail = (field: string, must: string, help = AS_SAVED): never => {
    const found = JSON.stringify(json[field]) ?? 'missing';
    throw new ModelError('adapter_invalid', path, `"${field}" is ${found}; ${must}.`, help);
  };
  const type = json['peft_type'];
  if (type !== 'LORA' && !isVirtual(type))
    return fail('peft_type', `only LORA, ${Object.keys(VIRTUAL).join(' and ')} are supported`, OTHER_KIND);
  const known = type === 'LORA' ? IGNORED : knownFields(type);
  for (const [field, value] of Object.entries(json)) {
    if (!known.has(field) && !isEmpty(value) && !HARMLESS[field]?.includes(value))
      fail(field, 'this feature is not supported', OTHERWISE);
  }
  const number = (field: string, holds: (value: number) => boolean, must: string): number => {
    const value = json[field];
    return typeof value === 'number' && holds(value) ? value : fail(field, must);
  };
  const text = (field: string): string | null => (typeof json[field] === 'string' ? json[field] : null);
  if (type !== 'LORA') {
    const tokens = number('num_virtual_tokens', isRank, 'it must be a positive whole number');
    return {
      lora: VIRTUAL[type].configOf(tokens),
      targets: [],
      classifies: false,
      base: {
        name: text('base_model_name_or_path'),
        revision: text('revision'),
        ...(type === 'PREFIX_TUNING' && json['num_attention_heads'] != null
          ? { prefixHeads: number('num_attention_heads', isRank, 'it must be a positive whole number') }
          : {}),
      },
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
  const classifies = json['task_type'] === CLASSIFICATION;
  const named = namesOf(json['modules_to_save'], fail);
  const saved = classifies
    ? named?.filter((name) => !(CLASSIFIERS as readonly string[]).includes(name))
    : named;
  const none = classifies && json['target_modules'] === NO_TARGETS;
  const alphas = patternsOf(json, 'alpha_pattern', isPositive, fail);
  return {
    lora: {
      rank: none ? 0 : rank,
      alpha: none ? 0 : alpha,
      dropout,
      ...(flag('use_rslora') ? { rslora: true } : {}),
      ...(flag('use_dora') ? { dora: true } : {}),
      ...(layers == null ? {} : { layers: layersOf(layers, fail) }),
      ...(ranks === undefined ? {} : { rankPattern: ranks }),
      ...(alphas === undefined ? {} : { alphaPattern: alphas }),
      ...(saved === undefined || saved.length === 0 ? {} : { modulesToSave: saved }),
    },
    targets: none
      ? []
      : NARROWING.some((field) => !isEmpty(json[field] ?? null))
        ? undefined
        : targetsOf(json['target_modules'], fail),
    classifies,
    base: { name: text('base_model_name_or_path'), revision: text('revision') },
  };
}

type Fail = (field: string, must: string, help?: string) => never;

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
      : fail(field, 'it must give a number for each pattern, and the patterns must be simple to match'),
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
