/** What the names and shapes of a model's tensors are written with. */
import type { NamedShape } from '../architectures/blueprint.js';
import { ConfigReader } from '../config/reader.js';

/** Tensors of an architecture, from its `config.json`. */
export interface Recipe {
  readonly outer: readonly NamedShape[];
  /** Path of the list of blocks: `model.layers`. */
  readonly blocksAt: string;
  readonly layers: number;
  /** Tensors of the block with this number, by their names within it. */
  block(layer: number): readonly NamedShape[];
}

export type RecipeOf = (config: ConfigReader) => Recipe;

export const tensor = (name: string, ...shape: readonly number[]): NamedShape => ({ name, shape });

/** A linear layer, or a norm with a bias. */
const weight = (name: string, shape: readonly number[], bias: boolean): readonly NamedShape[] => [
  tensor(`${name}.weight`, ...shape),
  ...(bias ? [tensor(`${name}.bias`, shape[0] ?? 0)] : []),
];

export const linear = (name: string, outputs: number, inputs: number, bias = false): readonly NamedShape[] =>
  weight(name, [outputs, inputs], bias);

export const norm = (name: string, width: number, bias = false): readonly NamedShape[] =>
  weight(name, [width], bias);

/** The same under a path. */
export const under = (path: string, tensors: readonly NamedShape[]): readonly NamedShape[] =>
  tensors.map(({ name, shape }) => ({ name: `${path}.${name}`, shape }));

/** Queries, keys and values as three layers, and the output: `names` in this order. */
export function attention(
  { hidden, queries, keys }: { readonly hidden: number; readonly queries: number; readonly keys: number },
  bias: { readonly inputs: boolean; readonly output: boolean },
  names: readonly [string, string, string, string] = ['q_proj', 'k_proj', 'v_proj', 'o_proj'],
): readonly NamedShape[] {
  const [q, k, v, o] = names;
  return [
    ...linear(q, queries, hidden, bias.inputs),
    ...linear(k, keys, hidden, bias.inputs),
    ...linear(v, keys, hidden, bias.inputs),
    ...linear(o, hidden, queries, bias.output),
  ];
}

export const gatedMlp = (hidden: number, inner: number): readonly NamedShape[] => [
  ...linear('gate_proj', inner, hidden),
  ...linear('up_proj', inner, hidden),
  ...linear('down_proj', hidden, inner),
];

/** Experts as transformers keeps them: one tensor for all that lead into them, one for all that lead out. */
export const experts = (count: number, hidden: number, inner: number): readonly NamedShape[] => [
  tensor('experts.gate_up_proj', count, 2 * inner, hidden),
  tensor('experts.down_proj', count, hidden, inner),
];

/** What most configs say under the same names. */
export interface Fields {
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  readonly vocab: number;
  /** Widths of all queries, and of all keys or values. */
  readonly queries: number;
  readonly keys: number;
}

export function fieldsOf(config: ConfigReader): Fields {
  const hidden = config.whole('hidden_size');
  const heads = config.whole('num_attention_heads');
  const headDim = config.whole('head_dim', Math.max(1, Math.floor(hidden / heads)));
  return {
    hidden,
    inner: config.whole('intermediate_size', 4 * hidden),
    layers: config.whole('num_hidden_layers'),
    heads,
    headDim,
    vocab: config.whole('vocab_size'),
    queries: heads * headDim,
    keys: config.whole('num_key_value_heads', heads) * headDim,
  };
}

/** What a config with several parts says of one: `text_config`. */
export const partOf = (config: ConfigReader, field: string): ConfigReader =>
  new ConfigReader(config.record(field) ?? config.wrong(field, 'an object'), config.path);

/** Embedding, last norm and head of models whose parts have Llama's names. */
export const llamaOuter = (
  config: ConfigReader,
  { vocab, hidden }: Fields,
  last: readonly NamedShape[] = norm('norm', hidden),
): readonly NamedShape[] => [
  tensor('model.embed_tokens.weight', vocab, hidden),
  ...under('model', last),
  ...(config.flag('tie_word_embeddings') ? [] : [tensor('lm_head.weight', vocab, hidden)]),
];

/**
 * MLPs of architectures with experts of DeepSeek's kind: next to those that a router chooses, some that every token passes through,
 * after a few layers without any. `corrects`: what chooses experts has a bias that no gradient moves (arXiv 2412.19437).
 */
export function sharingExperts(
  config: ConfigReader,
  { hidden, inner }: Fields,
  corrects: boolean,
): (layer: number) => readonly NamedShape[] {
  const [count, width] = [config.whole('n_routed_experts'), config.whole('moe_intermediate_size')];
  const dense = config.count('first_k_dense_replace');
  const shared = config.count('n_shared_experts');
  const mixture = [
    tensor('gate.weight', count, hidden),
    ...(corrects ? [tensor('gate.e_score_correction_bias', count)] : []),
    ...experts(count, hidden, width),
    ...(shared === 0 ? [] : under('shared_experts', gatedMlp(hidden, width * shared))),
  ];
  return (layer) => (layer < dense ? gatedMlp(hidden, inner) : mixture);
}

/**
 * MLPs of Qwen's mixtures: without experts in the layers of `mlp_only_layers` and in those that the step leaves out; next to those
 * that a router chooses there may be one that every token passes through, weighted by a gate.
 */
export function qwenMixture(
  config: ConfigReader,
  { hidden, inner }: Fields,
): (layer: number) => readonly NamedShape[] {
  const dense = new Set(config.list('mlp_only_layers') ?? []);
  const step = config.whole('decoder_sparse_step', 1);
  const count = config.whole('num_experts');
  const shared = config.has('shared_expert_intermediate_size')
    ? config.whole('shared_expert_intermediate_size')
    : undefined;
  const mixture = [
    tensor('gate.weight', count, hidden),
    ...experts(count, hidden, config.whole('moe_intermediate_size')),
    ...(shared === undefined
      ? []
      : [
          ...under('shared_expert', gatedMlp(hidden, shared)),
          tensor('shared_expert_gate.weight', 1, hidden),
        ]),
  ];
  return (layer) => (dense.has(layer) || (layer + 1) % step !== 0 ? gatedMlp(hidden, inner) : mixture);
}
