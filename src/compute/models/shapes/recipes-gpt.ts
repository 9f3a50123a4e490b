/** Architectures whose blocks have names of GPT's, BLOOM's or OPT's, as transformers' `modeling_*.py` of each. */
import type { NamedShape } from '../architectures/blueprint.js';
import type { ConfigReader } from '../config/reader.js';
import { attention, linear, norm, type RecipeOf, tensor, under } from './recipe.js';

/** The head where it is not the embedding itself. */
const headOf = (
  config: ConfigReader,
  shape: readonly [number, number],
  tied: boolean,
): readonly NamedShape[] =>
  config.flag('tie_word_embeddings', tied) ? [] : [tensor('lm_head.weight', ...shape)];

/** Falcon 7B has one norm and one head of keys; 40B and 180B have two norms and several (arXiv 2311.16867). */
const falcon: RecipeOf = (config) => {
  const hidden = config.whole('hidden_size');
  const heads = config.whole('num_attention_heads');
  const vocab = config.whole('vocab_size');
  const headDim = hidden / heads;
  const isNew = config.flag('new_decoder_architecture');
  const isMulti = config.flag('multi_query', true);
  const keyHeads = isNew ? config.whole('num_kv_heads', heads) : isMulti ? 1 : heads;
  const bias = config.flag('bias');
  const two = isNew && config.whole('num_ln_in_parallel_attn', 2) === 2;
  const norms = two
    ? ['ln_attn', 'ln_mlp']
    : config.flag('parallel_attn', true)
      ? ['input_layernorm']
      : ['input_layernorm', 'post_attention_layernorm'];
  const inner = config.whole('ffn_hidden_size', 4 * hidden);
  return {
    outer: [
      tensor('transformer.word_embeddings.weight', vocab, hidden),
      ...norm('transformer.ln_f', hidden, true),
      ...headOf(config, [vocab, hidden], true),
    ],
    blocksAt: 'transformer.h',
    layers: config.whole('num_hidden_layers'),
    block: () => [
      ...norms.flatMap((name) => norm(name, hidden, true)),
      ...linear('self_attention.query_key_value', (heads + 2 * keyHeads) * headDim, hidden, bias),
      ...linear('self_attention.dense', hidden, hidden, bias),
      ...linear('mlp.dense_h_to_4h', inner, hidden, bias),
      ...linear('mlp.dense_4h_to_h', hidden, inner, bias),
    ],
  };
};

const bloom: RecipeOf = (config) => {
  const hidden = config.whole('hidden_size');
  const vocab = config.whole('vocab_size');
  return {
    outer: [
      tensor('transformer.word_embeddings.weight', vocab, hidden),
      ...norm('transformer.word_embeddings_layernorm', hidden, true),
      ...norm('transformer.ln_f', hidden, true),
      ...headOf(config, [vocab, hidden], true),
    ],
    blocksAt: 'transformer.h',
    layers: config.whole('n_layer'),
    block: () => [
      ...norm('input_layernorm', hidden, true),
      ...linear('self_attention.query_key_value', 3 * hidden, hidden, true),
      ...linear('self_attention.dense', hidden, hidden, true),
      ...norm('post_attention_layernorm', hidden, true),
      ...linear('mlp.dense_h_to_4h', 4 * hidden, hidden, true),
      ...linear('mlp.dense_4h_to_h', hidden, 4 * hidden, true),
    ],
  };
};

/** The first two positions are padding's; OPT-350M embeds tokens in another width than its blocks have. */
const opt: RecipeOf = (config) => {
  const hidden = config.whole('hidden_size');
  const inner = config.whole('ffn_dim');
  const vocab = config.whole('vocab_size');
  const width = config.whole('word_embed_proj_dim', hidden);
  const all = { hidden, queries: hidden, keys: hidden };
  return {
    outer: under('model.decoder', [
      tensor('embed_tokens.weight', vocab, width),
      tensor('embed_positions.weight', config.whole('max_position_embeddings') + 2, hidden),
      ...(width === hidden
        ? []
        : [...linear('project_in', hidden, width), ...linear('project_out', width, hidden)]),
      ...(config.flag('do_layer_norm_before', true) ? norm('final_layer_norm', hidden, true) : []),
    ]).concat(headOf(config, [vocab, width], true)),
    blocksAt: 'model.decoder.layers',
    layers: config.whole('num_hidden_layers'),
    block: () => [
      ...under(
        'self_attn',
        attention(all, { inputs: true, output: true }, ['q_proj', 'k_proj', 'v_proj', 'out_proj']),
      ),
      ...norm('self_attn_layer_norm', hidden, true),
      ...linear('fc1', inner, hidden, true),
      ...linear('fc2', hidden, inner, true),
      ...norm('final_layer_norm', hidden, true),
    ],
  };
};

/** StarCoder: GPT-2 with one head of keys (arXiv 2305.06161). */
const bigCode: RecipeOf = (config) => {
  const hidden = config.whole('n_embd');
  const vocab = config.whole('vocab_size');
  const inner = config.whole('n_inner', 4 * hidden);
  const keys = config.flag('multi_query', true) ? hidden / config.whole('n_head') : hidden;
  return {
    outer: [
      tensor('transformer.wte.weight', vocab, hidden),
      tensor('transformer.wpe.weight', config.whole('n_positions'), hidden),
      ...norm('transformer.ln_f', hidden, true),
      ...headOf(config, [vocab, hidden], true),
    ],
    blocksAt: 'transformer.h',
    layers: config.whole('n_layer'),
    block: () => [
      ...norm('ln_1', hidden, true),
      ...linear('attn.c_attn', hidden + 2 * keys, hidden, true),
      ...linear('attn.c_proj', hidden, hidden, true),
      ...norm('ln_2', hidden, true),
      ...linear('mlp.c_fc', inner, hidden, true),
      ...linear('mlp.c_proj', hidden, inner, true),
    ],
  };
};

/** Attention and MLP in parallel, after one norm. */
const gptJ: RecipeOf = (config) => {
  const hidden = config.whole('n_embd');
  const vocab = config.whole('vocab_size');
  const all = { hidden, queries: hidden, keys: hidden };
  return {
    outer: [
      tensor('transformer.wte.weight', vocab, hidden),
      ...norm('transformer.ln_f', hidden, true),
      ...linear('lm_head', vocab, hidden, true),
    ],
    blocksAt: 'transformer.h',
    layers: config.whole('n_layer'),
    block: () => [
      ...norm('ln_1', hidden, true),
      ...under(
        'attn',
        attention(all, { inputs: false, output: false }, ['q_proj', 'k_proj', 'v_proj', 'out_proj']),
      ),
      ...linear('mlp.fc_in', 4 * hidden, hidden, true),
      ...linear('mlp.fc_out', hidden, 4 * hidden, true),
    ],
  };
};

const gptNeo: RecipeOf = (config) => {
  const hidden = config.whole('hidden_size');
  const vocab = config.whole('vocab_size');
  const all = { hidden, queries: hidden, keys: hidden };
  return {
    outer: [
      tensor('transformer.wte.weight', vocab, hidden),
      tensor('transformer.wpe.weight', config.whole('max_position_embeddings'), hidden),
      ...norm('transformer.ln_f', hidden, true),
      ...headOf(config, [vocab, hidden], true),
    ],
    blocksAt: 'transformer.h',
    layers: config.whole('num_layers'),
    block: () => [
      ...norm('ln_1', hidden, true),
      ...under(
        'attn.attention',
        attention(all, { inputs: false, output: true }, ['q_proj', 'k_proj', 'v_proj', 'out_proj']),
      ),
      ...norm('ln_2', hidden, true),
      ...linear('mlp.c_fc', 4 * hidden, hidden, true),
      ...linear('mlp.c_proj', hidden, 4 * hidden, true),
    ],
  };
};

/** No biases, and positions by ALiBi. */
const mpt: RecipeOf = (config) => {
  const hidden = config.whole('d_model');
  const vocab = config.whole('vocab_size');
  const inner = config.whole('expansion_ratio', 4) * hidden;
  return {
    outer: [tensor('transformer.wte.weight', vocab, hidden), ...norm('transformer.norm_f', hidden)],
    blocksAt: 'transformer.blocks',
    layers: config.whole('n_layers'),
    block: () => [
      ...norm('norm_1', hidden),
      ...linear('attn.Wqkv', 3 * hidden, hidden),
      ...linear('attn.out_proj', hidden, hidden),
      ...norm('norm_2', hidden),
      ...linear('ffn.up_proj', inner, hidden),
      ...linear('ffn.down_proj', hidden, inner),
    ],
  };
};

export const GPT_LIKE: Readonly<Record<string, RecipeOf>> = {
  falcon,
  bloom,
  opt,
  gpt_bigcode: bigCode,
  gptj: gptJ,
  gpt_neo: gptNeo,
  mpt,
};
