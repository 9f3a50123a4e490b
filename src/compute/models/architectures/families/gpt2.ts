/**
 * GPT-2 (Radford et al. 2019), as transformers' `modeling_gpt2.py`: LayerNorm, learned positions, fused projections
 * that are stored transposed. Its dropout belongs to its first training and is left out.
 */
import { readShape, writeIds } from '../../config/shape.js';
import type { Attention, Mlp } from '../blueprint.js';
import {
  ACTIVATIONS,
  activationName,
  type Family,
  fullAndSliding,
  layerNorm,
  projection,
} from './building-blocks.js';

const FIELDS = {
  hidden: 'n_embd',
  layers: 'n_layer',
  heads: 'n_head',
  positions: 'n_positions',
  epsilon: 'layer_norm_epsilon',
  epsilonDefault: 1e-5,
  tied: true,
  rotary: false,
};

export const gpt2: Family = {
  modelType: 'gpt2',
  className: 'GPT2LMHeadModel',
  classifierName: 'GPT2ForSequenceClassification',
  read(config) {
    const shape = readShape(config, FIELDS);
    config.only('scale_attn_weights', [true]);
    config.only('scale_attn_by_inverse_layer_idx', [false]);
    config.only('add_cross_attention', [false]);
    return {
      architecture: 'gpt2',
      ...shape,
      intermediateSize: config.whole('n_inner', 4 * shape.hiddenSize),
      ropeTheta: 1,
      activation: config.choice('activation_function', ACTIVATIONS, 'gelu_new'),
    };
  },
  blueprint(config) {
    const { hiddenSize: hidden, intermediateSize: inner, normEpsilon, vocabSize, maxPositions } = config;
    const options = { bias: true, transposed: true };
    const attention: Attention = {
      norm: layerNorm('ln_1', normEpsilon),
      inputs: {
        kind: 'fused',
        order: 'parts',
        all: projection('attn.c_attn', 3 * hidden, hidden, options),
      },
      output: projection('attn.c_proj', hidden, hidden, options),
      scale: 1 / Math.sqrt(config.headDim),
    };
    const mlp: Mlp = {
      norm: layerNorm('ln_2', normEpsilon),
      activation: config.activation ?? 'gelu_tanh',
      up: { kind: 'plain', up: projection('mlp.c_fc', inner, hidden, options) },
      down: projection('mlp.c_proj', hidden, inner, options),
    };
    const embedding = { name: 'transformer.wte.weight', shape: [vocabSize, hidden] };
    return {
      embedding,
      paddingFrozen: false,
      embeddingScale: 1,
      positions: { name: 'transformer.wpe.weight', shape: [maxPositions, hidden] },
      blocksAt: 'transformer.h',
      ...fullAndSliding(config, attention, mlp),
      head: {
        norm: layerNorm('transformer.ln_f', normEpsilon),
        output: config.tieEmbeddings ? embedding : { name: 'lm_head.weight', shape: embedding.shape },
      },
    };
  },
  write: (config) => ({
    ...writeIds(config),
    activation_function: activationName(config.activation),
    layer_norm_epsilon: config.normEpsilon,
    n_embd: config.hiddenSize,
    n_head: config.heads,
    n_inner: config.intermediateSize,
    n_layer: config.layers,
    n_positions: config.maxPositions,
  }),
};
