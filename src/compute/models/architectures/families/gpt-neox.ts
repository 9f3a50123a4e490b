/**
 * GPT-NeoX and Pythia (arXiv 2204.06745, 2304.01373), as transformers' `modeling_gpt_neox.py`: LayerNorm, the first
 * part of each head turned, attention and MLP next to each other, queries, keys and values fused head by head.
 */
import { PLAIN, readRope } from '../../config/rope.js';
import { COMMON, readShape, writeIds } from '../../config/shape.js';
import type { Attention, Mlp } from '../blueprint.js';
import {
  ACTIVATIONS,
  activationName,
  type Family,
  fullAndSliding,
  layerNorm,
  projection,
  rotaryOf,
} from './building-blocks.js';

const ROPE = {
  ...PLAIN,
  share: 0.25,
  thetaField: 'rotary_emb_base',
  shareField: 'rotary_pct',
  partial: true,
};

export const gptNeox: Family = {
  modelType: 'gpt_neox',
  className: 'GPTNeoXForCausalLM',
  classifierName: 'GPTNeoXForSequenceClassification',
  read(config) {
    const shape = readShape(config, { ...COMMON, epsilon: 'layer_norm_eps', epsilonDefault: 1e-5 });
    const bias = config.flag('attention_bias', true);
    return {
      architecture: 'gpt_neox',
      ...shape,
      intermediateSize: config.whole('intermediate_size'),
      activation: config.choice('hidden_act', ACTIVATIONS, 'gelu'),
      ...readRope(config, shape.headDim / 2, ROPE),
      biases: { attention: bias, output: bias, mlp: true },
      parallel: config.flag('use_parallel_residual', true),
    };
  },
  blueprint(config) {
    const { hiddenSize: hidden, intermediateSize: inner, normEpsilon, biases } = config;
    const embedding = { name: 'gpt_neox.embed_in.weight', shape: [config.vocabSize, hidden] };
    const bias = biases?.attention ?? true;
    const attention: Attention = {
      norm: layerNorm('input_layernorm', normEpsilon),
      inputs: {
        kind: 'fused',
        order: 'heads',
        all: projection('attention.query_key_value', 3 * hidden, hidden, { bias }),
      },
      output: projection('attention.dense', hidden, hidden, { bias }),
      rotary: rotaryOf(config),
      scale: 1 / Math.sqrt(config.headDim),
    };
    const mlp: Mlp = {
      norm: layerNorm('post_attention_layernorm', normEpsilon),
      activation: config.activation ?? 'gelu',
      up: { kind: 'plain', up: projection('mlp.dense_h_to_4h', inner, hidden, { bias: true }) },
      down: projection('mlp.dense_4h_to_h', hidden, inner, { bias: true }),
    };
    return {
      embedding,
      paddingFrozen: false,
      embeddingScale: 1,
      blocksAt: 'gpt_neox.layers',
      ...fullAndSliding(config, attention, mlp, config.parallel ? 'parallel' : 'sequential'),
      head: {
        norm: layerNorm('gpt_neox.final_layer_norm', normEpsilon),
        output: config.tieEmbeddings ? embedding : { name: 'embed_out.weight', shape: embedding.shape },
      },
    };
  },
  write: (config) => ({
    ...writeIds(config),
    attention_bias: config.biases?.attention ?? true,
    hidden_act: activationName(config.activation),
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    layer_norm_eps: config.normEpsilon,
    max_position_embeddings: config.maxPositions,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    rotary_emb_base: config.ropeTheta,
    rotary_pct: config.ropeShare ?? 1,
    use_parallel_residual: config.parallel,
  }),
};
