/** Parts that several families are put together from, under the names that transformers gives them. */
import type { ModelConfig } from '../../types.js';
import type { Activation, Attention, Blueprint, Mlp, Norm, Projection, Rotary } from '../blueprint.js';

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

/** The kind of each layer: `full` or `sliding`. */
const layerKinds = ({ layers, layerTypes }: ModelConfig): readonly string[] =>
  layerTypes ?? Array.from({ length: layers }, () => 'full');

/** Blocks that differ only in what a position sees. */
export function fullAndSliding(
  config: ModelConfig,
  attention: Attention,
  mlp: Mlp,
): Pick<Blueprint, 'layers' | 'blocks'> {
  const layers = layerKinds(config);
  const full = { attention, mlp, residual: 'sequential' as const };
  const sliding = { ...full, attention: { ...attention, window: config.window } };
  return { layers, blocks: { full, ...(layers.includes('sliding') ? { sliding } : {}) } };
}
