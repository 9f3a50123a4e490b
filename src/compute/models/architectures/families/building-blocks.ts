/** Parts that several families are put together from, under the names that transformers gives them. */
import type { Json } from '../../../../language/host/json.js';
import type { ConfigReader } from '../../config/reader.js';
import { PLAIN, readRope } from '../../config/rope.js';
import { COMMON, readShape } from '../../config/shape.js';
import type { ModelConfig } from '../../types.js';
import type {
  Activation,
  Attention,
  BlockBlueprint,
  Blueprint,
  Mlp,
  Norm,
  Projection,
  Rotary,
} from '../blueprint.js';

/** A family of models: how its `config.json` is read, and what it computes. */
export interface Family {
  /** `model_type` of `config.json`. */
  readonly modelType: string;
  /** The class of transformers with a head for the next token, in `architectures` of `config.json`. */
  readonly className: string;
  /** The one with a head over labels. */
  readonly classifierName: string;
  /** Throws a `ModelError` for an option that is not understood or makes no sense. */
  readonly read: (config: ConfigReader) => ModelConfig;
  readonly blueprint: (config: ModelConfig) => Blueprint;
  /** Fields of a `config.json` that says what the config says, besides those of {@link writeShape}. */
  readonly write: (config: ModelConfig) => Json;
}

export function projection(
  module: string,
  outputs: number,
  inputs: number,
  options: { readonly bias?: boolean; readonly transposed?: boolean } = {},
): Projection {
  const { bias = false, transposed = false } = options;
  return { target: module.slice(module.lastIndexOf('.') + 1), module, outputs, inputs, bias, transposed };
}

export const rms = (module: string, epsilon: number, offset: 0 | 1 = 0): Norm => ({
  module,
  kind: 'rms',
  epsilon,
  offset,
});

export const layerNorm = (module: string, epsilon: number): Norm => ({
  module,
  kind: 'layer',
  epsilon,
  offset: 0,
});

export function rotaryOf({ headDim, ropeTheta, ropeShare = 1, ropeScaling }: ModelConfig): Rotary {
  // transformers cuts a part of a dimension off, and turns pairs
  const period = Math.floor(headDim * ropeShare);
  return { dims: 2 * Math.ceil(period / 2), period, theta: ropeTheta, scaling: ropeScaling };
}

/** Functions of an MLP by transformers' names (`activations.py`). */
export const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu_pytorch_tanh: 'gelu_tanh',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu: 'gelu',
  gelu_python: 'gelu',
  quick_gelu: 'gelu_quick',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

/** A name that {@link ACTIVATIONS} knows a function by. */
export const activationName = (activation: Activation | undefined): string | undefined =>
  Object.entries(ACTIVATIONS).find(([, value]) => value === activation)?.[0];

/** What Llama and the families of its kind say in the same fields. */
export function readLlamaShape(
  config: ConfigReader,
  fields = COMMON,
  rope = PLAIN,
): Omit<ModelConfig, 'architecture'> {
  const shape = readShape(config, fields);
  config.only('hidden_act', ['silu']);
  return {
    ...shape,
    intermediateSize: config.whole('intermediate_size'),
    ...readRope(config, shape.headDim / 2, rope),
  };
}

/** `self_attn.{q,k,v,o}_proj`, pre-norm. */
export function separateAttention(config: ModelConfig): Attention {
  const { hiddenSize: hidden, heads, keyValueHeads, headDim, normEpsilon, biases } = config;
  const bias = biases?.attention ?? false;
  const input = (name: string, count: number) =>
    projection(`self_attn.${name}`, count * headDim, hidden, { bias });
  return {
    norm: rms('input_layernorm', normEpsilon),
    inputs: {
      kind: 'separate',
      q: input('q_proj', heads),
      k: input('k_proj', keyValueHeads),
      v: input('v_proj', keyValueHeads),
    },
    output: projection('self_attn.o_proj', hidden, heads * headDim, { bias: biases?.output ?? false }),
    rotary: rotaryOf(config),
    scale: 1 / Math.sqrt(headDim),
  };
}

/** `mlp.{gate,up,down}_proj`, pre-norm; with SiLU unless the config says otherwise: SwiGLU (arXiv 2002.05202). */
export function gatedMlp({
  hiddenSize: hidden,
  intermediateSize: inner,
  normEpsilon,
  activation = 'silu',
  biases,
}: ModelConfig): Mlp {
  const options = { bias: biases?.mlp ?? false };
  return {
    norm: rms('post_attention_layernorm', normEpsilon),
    activation,
    up: {
      kind: 'gated',
      gate: projection('mlp.gate_proj', inner, hidden, options),
      up: projection('mlp.up_proj', inner, hidden, options),
    },
    down: projection('mlp.down_proj', hidden, inner, options),
  };
}

/** `model.embed_tokens`, `model.layers`, `model.norm` and `lm_head`. */
export function frame(
  config: ModelConfig,
): Pick<Blueprint, 'embedding' | 'paddingFrozen' | 'embeddingScale' | 'blocksAt' | 'head'> {
  const shape = [config.vocabSize, config.hiddenSize];
  const embedding = { name: 'model.embed_tokens.weight', shape };
  return {
    embedding,
    paddingFrozen: true,
    embeddingScale: 1,
    blocksAt: 'model.layers',
    head: {
      norm: rms('model.norm', config.normEpsilon),
      output: config.tieEmbeddings ? embedding : { name: 'lm_head.weight', shape },
    },
  };
}

/** Blocks that differ only in what a position sees. */
export function fullAndSliding(
  { layers: count, layerTypes, window }: ModelConfig,
  attention: Attention,
  mlp: Mlp,
  residual: BlockBlueprint['residual'] = 'sequential',
): Pick<Blueprint, 'layers' | 'blocks'> {
  const layers = layerTypes ?? Array<string>(count).fill('full');
  const full = { attention, mlp, residual };
  const sliding = { ...full, attention: { ...attention, window } };
  return { layers, blocks: { full, ...(layers.includes('sliding') ? { sliding } : {}) } };
}
