/** Fields of `config.json`, in the form that transformers 4 and 5 read. */

import type { Json } from '../../../../language/host/json.js';
import type { ModelConfig } from '../../types.js';
import type { RopeScaling } from '../blueprint.js';

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
