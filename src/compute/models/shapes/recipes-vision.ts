/** Models of a text part and one that sees, which stays frozen, under their names in the files. */
import type { NamedShape } from '../architectures/blueprint.js';
import type { ConfigReader } from '../config/reader.js';
import {
  attention,
  fieldsOf,
  gatedMlp,
  linear,
  norm,
  partOf,
  type RecipeOf,
  tensor,
  under,
} from './recipe.js';

/** From 4B on (arXiv 2503.19786). */
const gemma3: RecipeOf = (config) => {
  const text = partOf(config, 'text_config');
  const fields = fieldsOf(text);
  const { hidden, inner, headDim, vocab } = fields;
  return {
    outer: [
      tensor('language_model.model.embed_tokens.weight', vocab, hidden),
      ...norm('language_model.model.norm', hidden),
      ...siglip(partOf(config, 'vision_config'), hidden),
    ],
    blocksAt: 'language_model.model.layers',
    layers: fields.layers,
    block: () => [
      ...[
        'input_layernorm',
        'post_attention_layernorm',
        'pre_feedforward_layernorm',
        'post_feedforward_layernorm',
      ].flatMap((name) => norm(name, hidden)),
      ...under('self_attn', [
        ...attention(fields, { inputs: false, output: false }),
        ...norm('q_norm', headDim),
        ...norm('k_norm', headDim),
      ]),
      ...under('mlp', gatedMlp(hidden, inner)),
    ],
  };
};

/** SigLIP (arXiv 2303.15343), and what leads from it into the text part's width. */
function siglip(config: ConfigReader, text: number): readonly NamedShape[] {
  const hidden = config.whole('hidden_size');
  const inner = config.whole('intermediate_size');
  const patch = config.whole('patch_size');
  const places = (config.whole('image_size') / patch) ** 2;
  const all = { hidden, queries: hidden, keys: hidden };
  const block = [
    ...norm('layer_norm1', hidden, true),
    ...norm('layer_norm2', hidden, true),
    ...under(
      'self_attn',
      attention(all, { inputs: true, output: true }, ['q_proj', 'k_proj', 'v_proj', 'out_proj']),
    ),
    ...under('mlp', [...linear('fc1', inner, hidden, true), ...linear('fc2', hidden, inner, true)]),
  ];
  return [
    ...under('vision_tower.vision_model', [
      tensor('embeddings.patch_embedding.weight', hidden, 3, patch, patch),
      tensor('embeddings.patch_embedding.bias', hidden),
      tensor('embeddings.position_embedding.weight', places, hidden),
      ...repeated('encoder.layers', config.whole('num_hidden_layers'), block),
      ...norm('post_layernorm', hidden, true),
    ]),
    tensor('multi_modal_projector.mm_input_projection_weight', hidden, text),
    tensor('multi_modal_projector.mm_soft_emb_norm.weight', hidden),
  ];
}

const repeated = (path: string, count: number, block: readonly NamedShape[]): readonly NamedShape[] =>
  Array.from({ length: count }, (_, layer) => under(`${path}.${layer}`, block)).flat();

/** Experts in every block, or in every other; each token is given to one of them and to one that all pass through. */
const llama4: RecipeOf = (config) => {
  const text = partOf(config, 'text_config');
  const fields = fieldsOf(text);
  const { hidden, inner, vocab } = fields;
  const count = text.whole('num_local_experts');
  const step = text.whole('interleave_moe_layer_step', 1);
  const listed = text.list('moe_layers');
  const hasExperts = (layer: number): boolean =>
    listed === undefined ? (layer + 1) % step === 0 : listed.includes(layer);
  const mixture = [
    tensor('router.weight', count, hidden),
    tensor('experts.gate_up_proj', count, hidden, 2 * inner),
    tensor('experts.down_proj', count, inner, hidden),
    ...under('shared_expert', gatedMlp(hidden, inner)),
  ];
  return {
    outer: [
      tensor('language_model.model.embed_tokens.weight', vocab, hidden),
      ...norm('language_model.model.norm', hidden),
      tensor('language_model.lm_head.weight', vocab, hidden),
      ...llama4Vision(partOf(config, 'vision_config'), hidden),
    ],
    blocksAt: 'language_model.model.layers',
    layers: fields.layers,
    block: (layer) => [
      ...['input_layernorm', 'post_attention_layernorm'].flatMap((name) => norm(name, hidden)),
      ...under('self_attn', attention(fields, { inputs: false, output: false })),
      ...under(
        'feed_forward',
        hasExperts(layer) ? mixture : gatedMlp(hidden, text.whole('intermediate_size_mlp')),
      ),
    ],
  };
};

function llama4Vision(config: ConfigReader, text: number): readonly NamedShape[] {
  const hidden = config.whole('hidden_size');
  const inner = config.whole('intermediate_size');
  const patch = config.whole('patch_size');
  const places = (config.whole('image_size') / patch) ** 2 + 1;
  const output = config.whole('projector_output_dim');
  const all = { hidden, queries: hidden, keys: hidden };
  const block = [
    ...['input_layernorm', 'post_attention_layernorm'].flatMap((name) => norm(name, hidden, true)),
    ...under('self_attn', attention(all, { inputs: true, output: true })),
    ...under('mlp', [...linear('fc1', inner, hidden, true), ...linear('fc2', hidden, inner, true)]),
  ];
  return [
    ...under('vision_model', [
      tensor('class_embedding', hidden),
      tensor('positional_embedding_vlm', places, hidden),
      ...linear('patch_embedding.linear', hidden, 3 * patch * patch),
      ...norm('layernorm_pre', hidden, true),
      ...norm('layernorm_post', hidden, true),
      ...repeated('model.layers', config.whole('num_hidden_layers'), block),
      ...linear('vision_adapter.mlp.fc1', config.whole('projector_input_dim'), inner),
      ...linear('vision_adapter.mlp.fc2', output, output),
    ]),
    ...linear('multi_modal_projector.linear_1', text, config.whole('vision_output_dim')),
  ];
}

/** That of Qwen3-VL and Qwen3.5. */
export function qwenVision(config: ConfigReader): readonly NamedShape[] {
  const vision = partOf(config, 'vision_config');
  const hidden = vision.whole('hidden_size');
  const inner = vision.whole('intermediate_size');
  const patch = vision.whole('patch_size');
  const merged = hidden * vision.whole('spatial_merge_size', 2) ** 2;
  const block = [
    ...['norm1', 'norm2'].flatMap((name) => norm(name, hidden, true)),
    ...linear('attn.qkv', 3 * hidden, hidden, true),
    ...linear('attn.proj', hidden, hidden, true),
    ...linear('mlp.linear_fc1', inner, hidden, true),
    ...linear('mlp.linear_fc2', hidden, inner, true),
  ];
  return under('model.visual', [
    tensor('patch_embed.proj.weight', hidden, 3, vision.whole('temporal_patch_size', 2), patch, patch),
    tensor('patch_embed.proj.bias', hidden),
    tensor('pos_embed.weight', vision.whole('num_position_embeddings'), hidden),
    ...repeated('blocks', vision.whole('depth'), block),
    ...norm('merger.norm', hidden, true),
    ...linear('merger.linear_fc1', merged, merged, true),
    ...linear('merger.linear_fc2', vision.whole('out_hidden_size'), merged, true),
  ]);
}

/** Mistral Small from 3.1 on, and Ministral 3: Mistral's blocks, and Pixtral (arXiv 2410.07073), whose patches are merged four by four. */
const mistral3: RecipeOf = (config) => {
  const text = partOf(config, 'text_config');
  const fields = fieldsOf(text);
  const { hidden, inner, vocab } = fields;
  return {
    outer: [
      tensor('language_model.model.embed_tokens.weight', vocab, hidden),
      ...norm('language_model.model.norm', hidden),
      ...(config.flag('tie_word_embeddings') || text.flag('tie_word_embeddings')
        ? []
        : [tensor('language_model.lm_head.weight', vocab, hidden)]),
      ...pixtral(partOf(config, 'vision_config')),
      ...merged(config, hidden),
    ],
    blocksAt: 'language_model.model.layers',
    layers: fields.layers,
    block: () => [
      ...['input_layernorm', 'post_attention_layernorm'].flatMap((name) => norm(name, hidden)),
      ...under('self_attn', attention(fields, { inputs: false, output: false })),
      ...under('mlp', gatedMlp(hidden, inner)),
    ],
  };
};

function pixtral(config: ConfigReader): readonly NamedShape[] {
  const hidden = config.whole('hidden_size');
  const patch = config.whole('patch_size');
  const all = { hidden, queries: hidden, keys: hidden };
  const block = [
    ...['attention_norm', 'ffn_norm'].flatMap((name) => norm(name, hidden)),
    ...under('attention', attention(all, { inputs: false, output: false })),
    ...under('feed_forward', gatedMlp(hidden, config.whole('intermediate_size'))),
  ];
  return under('vision_tower', [
    tensor('patch_conv.weight', hidden, 3, patch, patch),
    ...norm('ln_pre', hidden),
    ...repeated('transformer.layers', config.whole('num_hidden_layers'), block),
  ]);
}

/** From what Pixtral sees to the text part's width. */
function merged(config: ConfigReader, text: number): readonly NamedShape[] {
  const hidden = partOf(config, 'vision_config').whole('hidden_size');
  const bias = config.flag('multimodal_projector_bias');
  return under('multi_modal_projector', [
    ...norm('norm', hidden),
    ...linear('patch_merger.merging_layer', hidden, hidden * config.whole('spatial_merge_size', 2) ** 2),
    ...linear('linear_1', text, hidden, bias),
    ...linear('linear_2', text, text, bias),
  ]);
}

export const SEEING: Readonly<Record<string, RecipeOf>> = { gemma3, llama4, mistral3 };
