/**
 * Architectures most of whose blocks carry a state from token to token in the place of keys and values, as transformers'
 * `modeling_*.py` of each: Qwen's gated delta rule (arXiv 2412.06464), and Granite's Mamba 2 (arXiv 2405.21060).
 */
import type { NamedShape } from '../architectures/blueprint.js';
import type { ConfigReader } from '../config/reader.js';
import {
  attention,
  experts,
  type Fields,
  fieldsOf,
  gatedMlp,
  linear,
  llamaOuter,
  norm,
  partOf,
  qwenMixture,
  type Recipe,
  type RecipeOf,
  tensor,
  under,
} from './recipe.js';
import { qwenVision } from './recipes-vision.js';

const NORMS = ['input_layernorm', 'post_attention_layernorm'];

/** Whether a block attends, by its number: as listed, or every so many. */
function attends(config: ConfigReader): (layer: number) => boolean {
  const kinds = config.list('layer_types') ?? config.list('layers_block_type');
  const every = config.whole('full_attention_interval', 4);
  return (layer) =>
    kinds === undefined ? (layer + 1) % every === 0 : /^(?:full_)?attention$/.test(String(kinds[layer]));
}

/** Next to each query is what its output is gated by. */
const gatedAttention = (config: ConfigReader, { hidden, queries, keys, headDim }: Fields) => {
  const bias = config.flag('attention_bias');
  return [
    ...linear('q_proj', 2 * queries, hidden, bias),
    ...linear('k_proj', keys, hidden, bias),
    ...linear('v_proj', keys, hidden, bias),
    ...linear('o_proj', hidden, queries, bias),
    ...norm('q_norm', headDim),
    ...norm('k_norm', headDim),
  ];
};

/** `isFused`: the layers that read the block's input are two rather than four. */
function deltaRule(config: ConfigReader, { hidden }: Fields, isFused: boolean): readonly NamedShape[] {
  const [heads, headDim] = [config.whole('linear_num_value_heads'), config.whole('linear_value_head_dim')];
  const keys = config.whole('linear_num_key_heads') * config.whole('linear_key_head_dim');
  const values = heads * headDim;
  const inputs = isFused
    ? { in_proj_qkvz: 2 * keys + 2 * values, in_proj_ba: 2 * heads }
    : { in_proj_qkv: 2 * keys + values, in_proj_z: values, in_proj_b: heads, in_proj_a: heads };
  return [
    tensor('conv1d.weight', 2 * keys + values, 1, config.whole('linear_conv_kernel_dim')),
    tensor('dt_bias', heads),
    tensor('A_log', heads),
    ...norm('norm', headDim),
    ...Object.entries(inputs).flatMap(([name, outputs]) => linear(name, outputs, hidden)),
    ...linear('out_proj', hidden, values),
  ];
}

/** Blocks of Qwen3-Next and Qwen3.5. */
function qwenBlock(config: ConfigReader, fields: Fields, isFused: boolean): Recipe['block'] {
  const isAttention = attends(config);
  const mlp = config.has('num_experts')
    ? qwenMixture(config, fields)
    : () => gatedMlp(fields.hidden, fields.inner);
  return (layer) => [
    ...NORMS.flatMap((name) => norm(name, fields.hidden)),
    ...(isAttention(layer)
      ? under('self_attn', gatedAttention(config, fields))
      : under('linear_attn', deltaRule(config, fields, isFused))),
    ...under('mlp', mlp(layer)),
  ];
}

const qwenText =
  (isFused: boolean): RecipeOf =>
  (config) => {
    const fields = fieldsOf(config);
    return {
      outer: llamaOuter(config, fields),
      blocksAt: 'model.layers',
      layers: fields.layers,
      block: qwenBlock(config, fields, isFused),
    };
  };

/** As they are published, all of them see, too. */
const qwen35: RecipeOf = (config) => {
  const text = partOf(config, 'text_config');
  const fields = fieldsOf(text);
  const { hidden, vocab } = fields;
  return {
    outer: [
      tensor('model.language_model.embed_tokens.weight', vocab, hidden),
      ...norm('model.language_model.norm', hidden),
      ...(config.flag('tie_word_embeddings') ? [] : [tensor('lm_head.weight', vocab, hidden)]),
      ...(config.has('vision_config') ? qwenVision(config) : []),
    ],
    blocksAt: 'model.language_model.layers',
    layers: fields.layers,
    block: qwenBlock(text, fields, false),
  };
};

function mamba(config: ConfigReader, { hidden }: Fields): readonly NamedShape[] {
  const inner = config.whole('mamba_expand', 2) * hidden;
  const heads = config.whole('mamba_n_heads');
  const turned = inner + 2 * config.whole('mamba_n_groups', 1) * config.whole('mamba_d_state');
  const bias = config.flag('mamba_proj_bias');
  return [
    tensor('conv1d.weight', turned, 1, config.whole('mamba_d_conv', 4)),
    ...(config.flag('mamba_conv_bias', true) ? [tensor('conv1d.bias', turned)] : []),
    ...linear('in_proj', inner + turned + heads, hidden, bias),
    ...['dt_bias', 'A_log', 'D'].map((name) => tensor(name, heads)),
    ...norm('norm', inner),
    ...linear('out_proj', hidden, inner, bias),
  ];
}

/** Granite 4.0: next to what a token's experts give, if there are any, an MLP that all tokens pass through. */
const granite4: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { hidden, inner } = fields;
  const isAttention = attends(config);
  const shared = config.whole('shared_intermediate_size');
  const count = config.count('num_local_experts');
  const bias = { inputs: config.flag('attention_bias'), output: config.flag('attention_bias') };
  return {
    outer: llamaOuter(config, fields),
    blocksAt: 'model.layers',
    layers: fields.layers,
    block: (layer) => [
      ...NORMS.flatMap((name) => norm(name, hidden)),
      ...(isAttention(layer)
        ? under('self_attn', attention(fields, bias))
        : under('mamba', mamba(config, fields))),
      ...(count > 0
        ? under('block_sparse_moe', [
            tensor('router.weight', count, hidden),
            ...experts(count, hidden, inner),
          ])
        : []),
      ...under('shared_mlp', [
        ...linear('input_linear', 2 * shared, hidden),
        ...linear('output_linear', hidden, shared),
      ]),
    ],
  };
};

export const HYBRID: Readonly<Record<string, RecipeOf>> = {
  qwen3_next: qwenText(true),
  qwen3_5: qwen35,
  qwen3_5_moe: qwen35,
  qwen3_5_text: qwenText(false),
  qwen3_5_moe_text: qwenText(false),
  granitemoehybrid: granite4,
};
