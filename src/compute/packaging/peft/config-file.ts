import { isHead } from '../../models/adapters/classifier.js';
import { patternProblem } from '../../models/adapters/patterns.js';
import { isJson, type Json } from '../../models/json-file.js';
import { type LoraConfig, ModelError } from '../../models/types.js';
import { ConfigFields, isCount, isIndex, isPositive } from '../config-fields.js';
import { type AdapterBase, PEFT_VERSION } from './adapter-base.js';
import { isVirtual, knownFields, VIRTUAL, type VirtualType, virtualConfig } from './virtual-config.js';

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
  'eva_config',
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

const INIT = 'init_lora_weights';

/** Values that leave a field without effect, besides null, false, and the empty list and object. */
const HARMLESS: Readonly<Record<string, readonly unknown[]>> = {
  bias: ['none'],
  num_transformer_submodules: [1],
  // Other initialisations, such as pissa, change the base weights as well.
  [INIT]: [true, false, 'gaussian', 'orthogonal', 'eva'],
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
const CONVERTED =
  'Save it with `path_initial_model_for_weight_conversion`, by which PEFT makes it an adapter over the base as it was.';

/** Throws a {@link ModelError} `adapter_invalid` that names the first field that can't be honoured. */
export function parseAdapterConfig(json: Json, path: string): ParsedConfig {
  const fields = new ConfigFields(
    json,
    (field, found, must, help = AS_SAVED) =>
      new ModelError('adapter_invalid', path, `"${field}" is ${found}; ${must}.`, help),
  );
  const type = json['peft_type'];
  if (type !== 'LORA' && !isVirtual(type))
    return fields.fail(
      'peft_type',
      `only LORA, ${Object.keys(VIRTUAL).join(' and ')} are supported`,
      OTHER_KIND,
    );
  refuseUnknown(fields, type === 'LORA' ? IGNORED : knownFields(type));
  return type === 'LORA' ? parseLora(fields) : parseVirtual(type, fields);
}

/** A field that is not known asks for something, unless its value leaves it without effect. */
function refuseUnknown(fields: ConfigFields, known: ReadonlySet<string>): void {
  for (const [field, value] of Object.entries(fields.json))
    if (!known.has(field) && !isEmpty(value) && !HARMLESS[field]?.includes(value)) {
      if (field === INIT) fields.fail(field, 'such an adapter fits only weights that it changed', CONVERTED);
      fields.fail(field, 'this feature is not supported', OTHERWISE);
    }
}

const baseOf = (fields: ConfigFields): AdapterBase => ({
  name: fields.text('base_model_name_or_path'),
  revision: fields.text('revision'),
});

function parseVirtual(type: VirtualType, fields: ConfigFields): ParsedConfig {
  const heads = 'num_attention_heads';
  return {
    lora: VIRTUAL[type].configOf(fields.count('num_virtual_tokens')),
    targets: [],
    classifies: false,
    base: {
      ...baseOf(fields),
      ...(type === 'PREFIX_TUNING' && fields.has(heads) ? { prefixHeads: fields.count(heads) } : {}),
    },
  };
}

function parseLora(fields: ConfigFields): ParsedConfig {
  const classifies = fields.json['task_type'] === CLASSIFICATION;
  const isHeadAlone = classifies && fields.json['target_modules'] === NO_TARGETS;
  const rank = fields.count('r');
  const alpha = fields.number('lora_alpha', isPositive, 'it must be a positive number');
  return {
    lora: { ...(isHeadAlone ? { rank: 0, alpha: 0 } : { rank, alpha }), ...loraOptions(fields, classifies) },
    targets: isHeadAlone ? [] : targetsOf(fields),
    classifies,
    base: baseOf(fields),
  };
}

/** What an adapter may have besides rank and alpha; what it does not have is left out. */
function loraOptions(
  fields: ConfigFields,
  classifies: boolean,
): Omit<LoraConfig, 'targets' | 'rank' | 'alpha'> {
  const ranks = patternsOf(fields, 'rank_pattern', isCount);
  const alphas = patternsOf(fields, 'alpha_pattern', isPositive);
  const layers = layersOf(fields);
  const saved = savedModules(fields, classifies);
  return {
    dropout: fields.dropout('lora_dropout'),
    ...(fields.flag('use_rslora') ? { rslora: true } : {}),
    ...(fields.flag('use_dora') ? { dora: true } : {}),
    ...(layers.length === 0 ? {} : { layers }),
    ...(ranks.length === 0 ? {} : { rankPattern: Object.fromEntries(ranks) }),
    ...(alphas.length === 0 ? {} : { alphaPattern: Object.fromEntries(alphas) }),
    ...(saved.length === 0 ? {} : { modulesToSave: saved }),
  };
}

/** A list, or one layer alone; none where the adapter is over every layer. */
function layersOf(fields: ConfigFields): readonly number[] {
  const field = 'layers_to_transform';
  if (!fields.has(field)) return [];
  const isOne = typeof fields.json[field] === 'number';
  return isOne ? [fields.number(field, isIndex, 'it must be a list of layers')] : fields.layers(field);
}

/** Numbers by regular expressions. */
function patternsOf(
  fields: ConfigFields,
  field: string,
  holds: (value: number) => boolean,
): readonly (readonly [pattern: string, value: number])[] {
  const value = fields.json[field];
  if (value == null) return [];
  if (!isJson(value)) return fields.fail(field, 'it must be an object');
  return Object.entries(value).map(([pattern, number]) =>
    typeof number === 'number' && holds(number) && patternProblem(pattern) === undefined
      ? [pattern, number]
      : fields.fail(
          field,
          'it must give a number for each pattern, and the patterns must be simple to match',
        ),
  );
}

const MODULES = 'it must be a list of module names';

/** Before its release 5, transformers called the head of GPT-NeoX so, and PEFT after it. */
const OLD_HEAD = /^embed_out(?=$|\.)/;

/** Name of a module, or of its tensor, as it is called now. */
export const withoutOldName = (name: string): string => name.replace(OLD_HEAD, 'lm_head');

/** Modules that are saved whole, besides the head of a classifier. */
function savedModules(fields: ConfigFields, classifies: boolean): readonly string[] {
  if (!fields.has('modules_to_save')) return [];
  const names = fields.strings('modules_to_save', MODULES).map(withoutOldName);
  return classifies ? names.filter((name) => !(CLASSIFIERS as readonly string[]).includes(name)) : names;
}

function targetsOf(fields: ConfigFields): readonly string[] | undefined {
  const field = 'target_modules';
  const isNarrowed = NARROWING.some((other) => !isEmpty(fields.json[other] ?? null));
  if (isNarrowed || typeof fields.json[field] === 'string') return undefined;
  const targets = fields.strings(field, MODULES);
  return targets.length === 0 ? fields.fail(field, MODULES) : targets;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJson(value) && Object.keys(value).length === 0;
}
