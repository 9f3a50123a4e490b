/** `adapter_config.json` of a bottleneck adapter, as AdapterHub's `adapters` writes it. */

import { isJson, type Json } from '../../../language/host/json.js';
import { ADAPTER_NAME } from '../../models/adapters/bottleneck.js';
import type { BottleneckConfig } from '../../models/adapters/config.js';
import type { BottleneckActivation } from '../../models/architectures/blueprint.js';
import { FAMILIES } from '../../models/architectures/index.js';
import { ModelError } from '../../models/types.js';
import type { AdapterBase } from '../adapter-folder.js';
import { ConfigFields, isPositive } from '../config-fields.js';

/** Release of `adapters` whose files these are. */
export const ADAPTERS_VERSION = '1.3.0';

/** Fields of `BnConfig` that leave the computation as it is here: any other value is another kind of adapter. */
const PLAIN = {
  adapter_residual_before_ln: false,
  inv_adapter: null,
  ln_after: false,
  ln_before: false,
  original_ln_after: true,
  phm_layer: false,
  residual_before_ln: true,
  stochastic_depth: 0,
  use_gating: false,
} as const;

/** Fields that have no effect where the ones above have these values; with their defaults. */
const IDLE = {
  cross_adapter: false,
  factorized_phm_W: true,
  factorized_phm_rule: false,
  hypercomplex_nonlinearity: 'glorot-uniform',
  init_weights: 'bert',
  init_weights_seed: null,
  inv_adapter_reduction_factor: null,
  learn_phm: true,
  phm_bias: true,
  phm_c_init: 'normal',
  phm_dim: 4,
  phm_init_range: 0.0001,
  phm_rank: 1,
  shared_W_phm: false,
  shared_phm_rule: true,
} as const;

/** Names that transformers has for one function. */
const ACTIVATIONS: Readonly<Record<string, BottleneckActivation>> = {
  relu: 'relu',
  gelu: 'gelu',
  gelu_new: 'gelu_new',
  gelu_pytorch_tanh: 'gelu_new',
  silu: 'silu',
  swish: 'silu',
  sigmoid: 'sigmoid',
  tanh: 'tanh',
};

/** Fields that the library takes for a number only where they are written as a float. */
const FLOATS = /^( +"(?:dropout|scaling|stochastic_depth)": -?\d+)(,?)$/gm;

export function formatBottleneck(
  { reduction, places, activation, reads, scale, dropout, leaveOut = [] }: BottleneckConfig,
  { name, shape }: AdapterBase,
): string {
  const config = {
    ...PLAIN,
    ...IDLE,
    dropout,
    is_parallel: reads === 'stream',
    leave_out: leaveOut,
    mh_adapter: places.includes('attention'),
    non_linearity: activation,
    original_ln_before: reads === 'sum',
    output_adapter: places.includes('mlp'),
    reduction_factor: reduction,
    scaling: scale,
  };
  const family = shape && FAMILIES[shape.architecture];
  const fields = {
    config: Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))),
    hidden_size: shape?.hiddenSize ?? null,
    model_class: family?.className ?? null,
    model_name: name ?? '',
    model_type: family?.modelType ?? null,
    name: ADAPTER_NAME,
    version: `adapters.${ADAPTERS_VERSION}`,
  };
  return JSON.stringify(fields, null, 2).replace(FLOATS, '$1.0$2');
}

interface BottleneckFile {
  readonly config: BottleneckConfig;
  /** What the adapter is called in the names of its tensors. */
  readonly name: string;
  readonly base: AdapterBase;
}

/** Whether a config is of this library; PEFT's has a `peft_type`. */
export const isAdapterHub = (json: Json): boolean => !('peft_type' in json) && isJson(json['config']);

/** Throws a {@link ModelError} `adapter_invalid` that names the first field that can't be honoured. */
export function parseBottleneck(json: Json, path: string): BottleneckFile {
  const fields = new ConfigFields(isJson(json['config']) ? json['config'] : {}, (field, found, must) =>
    invalid(path, `"config.${field}" is ${found}; ${must}.`),
  );
  if (fields.has('architecture')) fields.fail('architecture', 'only bottleneck adapters are supported');
  for (const [field, plain] of Object.entries(PLAIN))
    if ((fields.json[field] ?? plain) !== plain)
      fields.fail(field, `only ${JSON.stringify(plain)} is supported`);
  const { name, model_name: base } = json;
  if (typeof name !== 'string' || name === '') throw invalid(path, '"name" must be the name of the adapter.');
  return {
    config: bottleneckOf(fields),
    name,
    base: { name: typeof base === 'string' && base !== '' ? base : null, revision: null },
  };
}

function bottleneckOf(fields: ConfigFields): BottleneckConfig {
  const leaveOut = fields.has('leave_out') ? fields.layers('leave_out') : [];
  return {
    kind: 'bottleneck',
    places: placesOf(fields),
    reduction: fields.number('reduction_factor', isPositive, 'it must be a positive number'),
    activation: activationOf(fields),
    reads: fields.flag('is_parallel') ? 'stream' : fields.flag('original_ln_before') ? 'sum' : 'output',
    scale: fields.has('scaling')
      ? fields.number('scaling', Number.isFinite, 'it must be a number: learned scales are not supported')
      : 1,
    dropout: fields.dropout('dropout'),
    ...(leaveOut.length === 0 ? {} : { leaveOut }),
  };
}

function placesOf(fields: ConfigFields): BottleneckConfig['places'] {
  const places = [
    ...(fields.flag('mh_adapter') ? (['attention'] as const) : []),
    ...(fields.flag('output_adapter') ? (['mlp'] as const) : []),
  ];
  return places.length === 0
    ? fields.fail('output_adapter', 'there is no adapter after the attention or the MLP')
    : places;
}

function activationOf(fields: ConfigFields): BottleneckActivation {
  const name = fields.text('non_linearity')?.toLowerCase() ?? '';
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  return (
    activation ?? fields.fail('non_linearity', `it must be one of ${Object.keys(ACTIVATIONS).join(', ')}`)
  );
}

export const invalid = (path: string, detail: string): ModelError =>
  new ModelError(
    'adapter_invalid',
    path,
    detail,
    'Use a bottleneck adapter as AdapterHub saves it: `save_adapter(folder, name, use_safetensors=True)`.',
  );
