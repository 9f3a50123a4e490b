/** Low-rank factors, with a head over labels or not, and such a head alone, as PEFT saves them. */

import { isJson } from '../../../language/host/json.js';
import { isBesideFactors } from '../../models/adapters/biases.js';
import { patternProblem } from '../../models/adapters/branches.js';
import type { HeadConfig, LoraConfig } from '../../models/adapters/config.js';
import { sensePattern } from '../../models/foreign.js';
import type { AdapterBase } from '../adapter-folder.js';
import { type ConfigFields, isCount, isIndex, isPositive } from '../config-fields.js';
import { cell } from '../model-card.js';
import {
  baseOf,
  type CardContent,
  isEmpty,
  PEFT_VERSION,
  type PeftConfig,
  type PeftFields,
  type PeftFormat,
  PREFIX,
} from './format.js';
import { openFactors, openHead, withoutOldName } from './lora-tensors.js';

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

/**
 * Name that PEFT keeps for an adapter over no layer at all: the head over labels alone is trained, and the rest of the
 * config is that of an adapter of which there is nothing.
 */
const NO_TARGETS = 'dummy-target-modules';
const NO_FACTORS = { r: 8, lora_alpha: 8 } as const;

/** What PEFT saves whole for `SEQ_CLS`, whatever the family calls its head. */
const CLASSIFIERS = ['classifier', 'score'] as const;
const CLASSIFICATION = 'SEQ_CLS';

/** Fields that say nothing of the computation once the tensors are there. */
const IGNORED = new Set([
  'auto_mapping',
  'alpha_pattern',
  'bias',
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
  'target_parameters',
  'task_type',
  'use_dora',
  'use_rslora',
]);

/** What takes layers out of those that `target_modules` names: which are left, the tensors say. */
const NARROWING = ['exclude_modules', 'layers_pattern'] as const;

/**
 * As PEFT takes them: names, or a pattern of whole paths. Layers of parts that see have the names of those that read, and are
 * no targets.
 */
function excluded(
  { exclude }: Pick<LoraConfig, 'exclude'>,
  { shape }: AdapterBase,
): readonly string[] | string | null {
  const names = exclude === undefined ? null : [...exclude].sort();
  const senses = shape?.foreign && sensePattern(shape.foreign);
  if (senses === undefined) return names;
  const named = (names ?? []).map((name) => `(?:.*\\.)?${name.replaceAll('.', '\\.')}`);
  return [senses, ...named].join('|');
}

/** What both have: the fields of a `LoraConfig`. */
const loraFields = (
  { labels, ...adapter }: Partial<Omit<LoraConfig, 'kind'>>,
  base: AdapterBase,
): PeftFields => ({
  ...DEFAULTS,
  base_model_name_or_path: base.name,
  revision: base.revision,
  lora_dropout: adapter.dropout ?? 0,
  use_rslora: adapter.rslora ?? false,
  use_dora: adapter.dora ?? false,
  bias: adapter.bias ?? 'none',
  rank_pattern: adapter.rankPattern ?? {},
  alpha_pattern: adapter.alphaPattern ?? {},
  layers_to_transform: adapter.layers ?? null,
  exclude_modules: excluded(adapter, base),
  fan_in_fan_out: base.transposed ?? false,
  ...(labels === undefined
    ? { modules_to_save: adapter.modulesToSave ?? null }
    : { modules_to_save: [...(adapter.modulesToSave ?? []), ...CLASSIFIERS], task_type: CLASSIFICATION }),
});

const wholeFacts = ({ labels, modulesToSave: whole }: LoraConfig | HeadConfig): CardContent['facts'] => [
  ...(labels === undefined ? [] : [['Labels', labels.map(cell).join(', ')] as const]),
  ...(whole === undefined ? [] : [['Trained whole', [...whole].sort().join(', ')] as const]),
];

/** A layer with factors has what it was in the base within it. */
const nameInFile = (name: string, adapter: LoraConfig | HeadConfig): string =>
  PREFIX + (isBesideFactors(name, adapter) ? name.replace(/bias$/, 'base_layer.bias') : name);

export const headFormat: PeftFormat<'head'> = {
  fields: (adapter, base) => ({
    ...loraFields(adapter, base),
    ...NO_FACTORS,
    target_modules: NO_TARGETS,
  }),
  card: (adapter) => ({ title: 'Classification head', facts: wholeFacts(adapter) }),
  nameInFile,
};

export const loraFormat: PeftFormat<'lora'> = {
  fields: (adapter, base) => ({
    ...loraFields(adapter, base),
    r: adapter.rank,
    lora_alpha: adapter.alpha,
    target_modules: [...adapter.targets].sort(),
    ...(adapter.parameters === undefined ? {} : { target_parameters: [...adapter.parameters].sort() }),
  }),
  card: (adapter) => ({
    tag: 'lora',
    title: adapter.labels === undefined ? 'LoRA adapter' : 'LoRA adapter and classification head',
    facts: [
      ['Rank', adapter.rank],
      ['Alpha', adapter.alpha],
      ['Dropout', adapter.dropout],
      ['Modules', [...adapter.targets, ...(adapter.parameters ?? [])].sort().join(', ')],
      ...(adapter.bias === undefined ? [] : [['Trained biases', BIASES[adapter.bias]] as const]),
      ...wholeFacts(adapter),
    ],
  }),
  nameInFile,
  reader: { type: 'LORA', known: IGNORED, parse: parseLora },
};

/** What they are, for people. */
const BIASES = { all: 'all', lora_only: 'those of the modules' } as const;

const isBiasSetting = (value: unknown): value is keyof typeof BIASES =>
  value === 'all' || value === 'lora_only';

/** Which biases come with the factors. */
function biasOf(fields: ConfigFields): Pick<LoraConfig, 'bias'> {
  const value = fields.json['bias'] ?? 'none';
  if (value === 'none') return {};
  return isBiasSetting(value)
    ? { bias: value }
    : fields.fail('bias', 'it must be "none", "all" or "lora_only"');
}

function parseLora(fields: ConfigFields, labelsIn: () => readonly string[]): PeftConfig {
  const classifies = fields.json['task_type'] === CLASSIFICATION;
  const rank = fields.count('r');
  const alpha = fields.number('lora_alpha', isPositive, 'it must be a positive number');
  const options = loraOptions(fields, classifies);
  const base = baseOf(fields);
  if (classifies && fields.json['target_modules'] === NO_TARGETS) {
    const { modulesToSave: whole } = options;
    const head = { kind: 'head', labels: labelsIn(), ...(whole && { modulesToSave: whole }) } as const;
    return { base, open: (file, path) => openHead(head, file, path) };
  }
  const parameters = parametersOf(fields);
  const targets = targetsOf(fields, parameters !== undefined);
  const labels = classifies ? { labels: labelsIn() } : {};
  const factors = { kind: 'lora', rank, alpha, ...options, ...labels, ...parameters } as const;
  return { base, open: (file, path) => openFactors(factors, targets, file, path) };
}

/** What an adapter may have besides rank and alpha; what it does not have is left out. */
function loraOptions(
  fields: ConfigFields,
  classifies: boolean,
): Omit<LoraConfig, 'kind' | 'targets' | 'rank' | 'alpha'> {
  const ranks = patternsOf(fields, 'rank_pattern', isCount);
  const alphas = patternsOf(fields, 'alpha_pattern', isPositive);
  const layers = layersOf(fields);
  const saved = savedModules(fields, classifies);
  return {
    dropout: fields.dropout('lora_dropout'),
    ...(fields.flag('use_rslora') ? { rslora: true } : {}),
    ...(fields.flag('use_dora') ? { dora: true } : {}),
    ...biasOf(fields),
    ...(layers.length === 0 ? {} : { layers }),
    ...(ranks.length === 0 ? {} : { rankPattern: Object.fromEntries(ranks) }),
    ...(alphas.length === 0 ? {} : { alphaPattern: Object.fromEntries(alphas) }),
    ...(saved.length === 0 ? {} : { modulesToSave: saved }),
  };
}

/** A list, or one layer alone; none if the adapter is over every layer. */
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

/** Modules that are saved whole, besides the head of a classifier. */
function savedModules(fields: ConfigFields, classifies: boolean): readonly string[] {
  if (!fields.has('modules_to_save')) return [];
  const names = fields.strings('modules_to_save', MODULES).map(withoutOldName);
  return classifies ? names.filter((name) => !(CLASSIFIERS as readonly string[]).includes(name)) : names;
}

/** Parameters that no linear layer has: those of experts, and of what chooses them. */
function parametersOf(fields: ConfigFields): Pick<LoraConfig, 'parameters'> | undefined {
  const field = 'target_parameters';
  if (isEmpty(fields.json[field] ?? null)) return undefined;
  return { parameters: fields.strings(field, 'it must be a list of names of parameters') };
}

/** `isOptional`: there may be none. */
function targetsOf(fields: ConfigFields, isOptional: boolean): readonly string[] | undefined {
  const field = 'target_modules';
  const isNarrowed = NARROWING.some((other) => !isEmpty(fields.json[other] ?? null));
  if (isNarrowed || typeof fields.json[field] === 'string') return undefined;
  const targets = fields.strings(field, MODULES);
  return targets.length === 0 && !isOptional ? fields.fail(field, MODULES) : targets;
}
