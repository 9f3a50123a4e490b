/** What the configs of all families say, most of them under the same names. */
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

/**
 * Which layers see a window only: `layer_types`, or what the family says about a layer where a file has none.
 * Everything is in full if there is no window.
 */
export function readLayerTypes(
  config: ConfigReader,
  layers: number,
  window: number | undefined,
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
    return wanted && window !== undefined ? 'sliding' : 'full';
  });
}
