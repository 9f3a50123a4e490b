/**
 * Gemma 2 (arXiv 2408.00118), as transformers' `modeling_gemma2.py`: norms before and after each part, soft-capped
 * scores and logits, a sliding window in every other layer, scaled embeddings.
 */
import type { ConfigReader } from '../../config/reader.js';
import { readRope } from '../../config/rope.js';
import { COMMON, readLayerTypes, readShape, writeLayerTypes, writeShape } from '../../config/shape.js';
import type { ModelConfig } from '../../types.js';
import type { Attention, Mlp } from '../blueprint.js';
import {
  ACTIVATIONS,
  activationName,
  type Family,
  frame,
  fullAndSliding,
  gatedMlp,
  rms,
  separateAttention,
} from './building-blocks.js';

/** What Gemma 2 and 3 say in the same fields. */
export function readGemma(
  config: ConfigReader,
  slides: (layer: number) => boolean,
): Omit<ModelConfig, 'architecture' | 'ropeTheta'> {
  const shape = readShape(config, { ...COMMON, tied: true });
  const bias = config.flag('attention_bias');
  config.only('use_bidirectional_attention', [false]);
  return {
    ...shape,
    intermediateSize: config.whole('intermediate_size'),
    activation: config.choice('hidden_activation', ACTIVATIONS, 'gelu_pytorch_tanh'),
    ...(bias ? { biases: { attention: true, output: true, mlp: false } } : {}),
    window: config.whole('sliding_window', 4096),
    layerTypes: readLayerTypes(config, shape.layers, slides),
    queryScale: config.positive('query_pre_attn_scalar', 256) ** -0.5,
  };
}

/** Blocks of Gemma 2 and 3, before what sets the two apart. */
export function gemmaBlock(config: ModelConfig): { readonly attention: Attention; readonly mlp: Mlp } {
  const norm = (module: string) => rms(module, config.normEpsilon, 1);
  return {
    attention: {
      ...separateAttention(config),
      norm: norm('input_layernorm'),
      after: norm('post_attention_layernorm'),
      scale: config.queryScale ?? config.headDim ** -0.5,
      cap: config.scoreCap,
    },
    mlp: {
      ...gatedMlp(config),
      activation: config.activation ?? 'gelu_tanh',
      norm: norm('pre_feedforward_layernorm'),
      after: norm('post_feedforward_layernorm'),
    },
  };
}

export function gemmaFrame(config: ModelConfig): ReturnType<typeof frame> {
  const plain = frame(config);
  return {
    ...plain,
    // transformers holds the factor as a float32
    embeddingScale: Math.fround(Math.sqrt(config.hiddenSize)),
    head: { ...plain.head, norm: rms('model.norm', config.normEpsilon, 1), cap: config.logitCap },
  };
}

export const gemma2: Family = {
  modelType: 'gemma2',
  className: 'Gemma2ForCausalLM',
  classifierName: 'Gemma2ForSequenceClassification',
  read(config) {
    const gemma = readGemma(config, (layer) => layer % 2 === 0);
    const cap = (field: string, fallback: number) =>
      field in config.json ? config.optional(field) : fallback;
    return {
      architecture: 'gemma2',
      ...gemma,
      ...readRope(config, gemma.headDim / 2),
      scoreCap: cap('attn_logit_softcapping', 50),
      logitCap: cap('final_logit_softcapping', 30),
    };
  },
  blueprint(config) {
    const { attention, mlp } = gemmaBlock(config);
    return { ...gemmaFrame(config), ...fullAndSliding(config, attention, mlp) };
  },
  write: (config) => ({
    ...writeShape(config),
    ...writeLayerTypes(config),
    ...writeGemma(config),
    attn_logit_softcapping: config.scoreCap ?? null,
    final_logit_softcapping: config.logitCap ?? null,
  }),
};

/** A scale's reciprocal squared may miss its whole number by a rounding; transformers reads no other. */
const nearWhole = (value: number): number =>
  Math.abs(value - Math.round(value)) < 1e-9 * value ? Math.round(value) : value;

export const writeGemma = (config: ModelConfig) => ({
  attention_bias: config.biases?.attention ?? false,
  hidden_activation: activationName(config.activation),
  query_pre_attn_scalar: nearWhole((config.queryScale ?? 1) ** -2),
  sliding_window: config.window,
});
