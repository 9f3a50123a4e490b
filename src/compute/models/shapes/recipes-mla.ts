/** Attention over latent keys and values (MLA), as transformers' `modeling_deepseek_v2.py` and `modeling_deepseek_v3.py` have it. */
import type { NamedShape } from '../architectures/blueprint.js';
import type { ConfigReader } from '../config/reader.js';
import {
  type Fields,
  fieldsOf,
  linear,
  llamaOuter,
  norm,
  type RecipeOf,
  sharingExperts,
  under,
} from './recipe.js';

/**
 * Keys and values of all heads come from one narrow latent vector, next to a key that all heads share and that alone is turned; so may
 * queries (arXiv 2405.04434).
 */
function latentAttention(config: ConfigReader, { hidden, heads }: Fields): readonly NamedShape[] {
  const latent = config.whole('kv_lora_rank');
  const turned = config.whole('qk_rope_head_dim');
  const plain = config.whole('qk_nope_head_dim');
  const value = config.whole('v_head_dim');
  const queries = heads * (plain + turned);
  const narrow = config.has('q_lora_rank') ? config.whole('q_lora_rank') : undefined;
  return [
    ...(narrow === undefined
      ? linear('q_proj', queries, hidden)
      : [
          ...linear('q_a_proj', narrow, hidden),
          ...norm('q_a_layernorm', narrow),
          ...linear('q_b_proj', queries, narrow),
        ]),
    ...linear('kv_a_proj_with_mqa', latent + turned, hidden),
    ...norm('kv_a_layernorm', latent),
    ...linear('kv_b_proj', heads * (plain + value), latent),
    ...linear('o_proj', hidden, heads * value),
  ];
}

const deepseek =
  (corrects: boolean): RecipeOf =>
  (config) => {
    const fields = fieldsOf(config);
    const { hidden, layers } = fields;
    const mlp = sharingExperts(config, fields, corrects);
    return {
      outer: llamaOuter(config, fields),
      blocksAt: 'model.layers',
      layers,
      block: (layer) => [
        ...norm('input_layernorm', hidden),
        ...norm('post_attention_layernorm', hidden),
        ...under('self_attn', latentAttention(config, fields)),
        ...under('mlp', mlp(layer)),
      ],
    };
  };

export const LATENT: Readonly<Record<string, RecipeOf>> = {
  deepseek_v2: deepseek(false),
  deepseek_v3: deepseek(true),
};
