/** What the configs of all families say, most of them under the same names. */

import type { Json } from '../../../language/host/json.js';
import type { RopeScaling } from '../architectures/blueprint.js';
import type { ModelConfig } from '../types.js';
import type { ConfigReader } from './reader.js';

/** Every layer has tensors to be named and checked; the deepest models have some hundreds. */
const MAX_LAYERS = 10_000;

/** Names of fields that differ between families. */
interface ShapeFields {
  readonly hidden: string;
  readonly layers: string;
  readonly heads: string;
  readonly positions: string;
  readonly epsilon: string;
  /** Of `tie_word_embeddings`, where a file leaves it out. */
  readonly tied: boolean;
  /** Of `rms_norm_eps` or its kin. */
  readonly epsilonDefault: number;
  /** Default: heads have rotary positions. */
  readonly rotary?: boolean;
}

export const COMMON: ShapeFields = {
  hidden: 'hidden_size',
  layers: 'num_hidden_layers',
  heads: 'num_attention_heads',
  positions: 'max_position_embeddings',
  epsilon: 'rms_norm_eps',
  tied: false,
  epsilonDefault: 1e-6,
};

type Shape = Omit<ModelConfig, 'architecture' | 'intermediateSize' | 'ropeTheta'>;

export function readShape(config: ConfigReader, fields: ShapeFields = COMMON): Shape {
  const hiddenSize = config.whole(fields.hidden);
  const layers = config.whole(fields.layers);
  if (layers > MAX_LAYERS) config.wrong(fields.layers, `at most ${MAX_LAYERS}`);
  const heads = config.whole(fields.heads);
  const keyValueHeads = config.whole('num_key_value_heads', heads);
  if (heads % keyValueHeads !== 0)
    config.wrong(fields.heads, `a multiple of num_key_value_heads (${keyValueHeads})`);
  if (!config.has('head_dim') && hiddenSize % heads !== 0)
    config.wrong(fields.hidden, `a multiple of ${fields.heads} (${heads})`);
  const headDim = config.whole('head_dim', hiddenSize / heads);
  if (headDim % 2 !== 0 && fields.rotary !== false)
    config.wrong('head_dim', 'even, as rotary positions need it', headDim);
  const vocabSize = config.whole('vocab_size');
  return {
    vocabSize,
    hiddenSize,
    layers,
    heads,
    keyValueHeads,
    headDim,
    maxPositions: config.whole(fields.positions, 2048),
    normEpsilon: config.positive(fields.epsilon, fields.epsilonDefault),
    tieEmbeddings: config.flag('tie_word_embeddings', fields.tied),
    bosTokenId: config.tokenIds('bos_token_id', vocabSize)[0] ?? null,
    eosTokenIds: config.tokenIds('eos_token_id', vocabSize),
    padTokenId: config.tokenIds('pad_token_id', vocabSize)[0] ?? null,
  };
}

/** Which layers see a window only: `layer_types`, or what the family says about a layer where a file has none. */
export function readLayerTypes(
  config: ConfigReader,
  layers: number,
  slides: (layer: number) => boolean,
): readonly ('full' | 'sliding')[] {
  const listed = config.list('layer_types');
  if (listed !== undefined && listed.length !== layers)
    config.wrong('layer_types', `a list of ${layers} entries`);
  return Array.from({ length: layers }, (_, layer) => {
    const type = listed?.[layer];
    if (type !== undefined && type !== 'full_attention' && type !== 'sliding_attention')
      config.unsupported('layer_types', 'its entries are full_attention and sliding_attention', type);
    const wanted = type === undefined ? slides(layer) : type === 'sliding_attention';
    return wanted ? 'sliding' : 'full';
  });
}

/** The window of a file that has one; without `slides`, every layer has it. */
export function readWindow(
  config: ConfigReader,
  layers: number,
  slides?: (layer: number) => boolean,
): Pick<ModelConfig, 'window' | 'layerTypes'> {
  if (!config.has('sliding_window')) return {};
  return {
    window: config.whole('sliding_window'),
    layerTypes:
      slides === undefined
        ? Array<'sliding'>(layers).fill('sliding')
        : readLayerTypes(config, layers, slides),
  };
}

/** Fields that transformers reads as a `float` alone: it refuses the `30` that JSON makes of `30.0`, or warns of it. */
const FLOATS = [
  ...['attn_logit_softcapping', 'final_logit_softcapping', 'initializer_range'],
  ...['rms_norm_eps', 'layer_norm_eps', 'layer_norm_epsilon', 'partial_rotary_factor', 'rotary_pct'],
  ...[
    'rope_theta',
    'rope_local_base_freq',
    'factor',
    'low_freq_factor',
    'high_freq_factor',
    'attention_factor',
  ],
];

/** A whole number in a line of its own, as `JSON.stringify` indents members: within a text, line ends are escaped. */
const WHOLE = new RegExp(`^( *"(?:${FLOATS.join('|')})": -?\\d+)(?=,?$)`, 'gm');

/** The text of a `config.json`. */
export const configText = (config: Json): string =>
  `${JSON.stringify(config, null, 2).replace(WHOLE, '$1.0')}\n`;

/** A whole number as Python writes it where it is a float: `10000.0`, `1e+16`. */
const FLOAT = /"(\w+)":\s*-?\d+(?:\.0+|(?:\.\d+)?[eE]\+?\d+)(?=\s*[,}\]])/g;

/**
 * The text of a `config.json` with the numbers as floats that `original` writes as such: of an architecture that is not known
 * here, nothing else tells which of its fields are.
 */
export function floatsAsIn(original: string, text: string): string {
  const names = new Set([...original.matchAll(FLOAT)].map(([, name]) => name));
  return text.replace(/^( *"(\w+)": -?\d+)(?=,?$)/gm, (line, _, name: string) =>
    names.has(name) ? `${line}.0` : line,
  );
}

export const oneOrMore = (ids: readonly number[]): unknown =>
  ids.length === 0 ? null : ids.length === 1 ? ids[0] : ids;

export const writeIds = (config: ModelConfig): Json => ({
  bos_token_id: config.bosTokenId,
  eos_token_id: oneOrMore(config.eosTokenIds),
  pad_token_id: config.padTokenId,
  tie_word_embeddings: config.tieEmbeddings,
  vocab_size: config.vocabSize,
});

export const writeShape = (config: ModelConfig): Json => ({
  ...writeIds(config),
  head_dim: config.headDim,
  hidden_size: config.hiddenSize,
  intermediate_size: config.intermediateSize,
  max_position_embeddings: config.maxPositions,
  num_attention_heads: config.heads,
  num_hidden_layers: config.layers,
  num_key_value_heads: config.keyValueHeads,
  rms_norm_eps: config.normEpsilon,
  rope_theta: config.ropeTheta,
  ...(config.ropeScaling === undefined ? {} : { rope_scaling: writeScaling(config.ropeScaling) }),
});

export const writeLayerTypes = ({ layerTypes }: ModelConfig): Json =>
  layerTypes === undefined ? {} : { layer_types: layerTypes.map((type) => `${type}_attention`) };

function writeScaling(scaling: RopeScaling): Json {
  if (scaling.type === 'linear') return { rope_type: 'linear', factor: scaling.factor };
  if (scaling.type === 'llama3')
    return {
      rope_type: 'llama3',
      factor: scaling.factor,
      low_freq_factor: scaling.lowFactor,
      high_freq_factor: scaling.highFactor,
      original_max_position_embeddings: scaling.originalPositions,
    };
  if (scaling.type === 'yarn')
    return {
      rope_type: 'yarn',
      factor: scaling.factor,
      original_max_position_embeddings: scaling.originalPositions,
      attention_factor: scaling.attentionFactor,
      beta_fast: scaling.betaFast,
      beta_slow: scaling.betaSlow,
      truncate: scaling.truncate,
    };
  return {
    rope_type: 'longrope',
    short_factor: scaling.short,
    long_factor: scaling.long,
    original_max_position_embeddings: scaling.originalPositions,
    attention_factor: scaling.attentionFactor,
  };
}
