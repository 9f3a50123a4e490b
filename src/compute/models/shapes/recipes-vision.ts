/** Gemma 3 from 4B on: a text part, and one that sees, which stays frozen (arXiv 2503.19786), under their names in the files. */
import type { NamedShape } from '../architectures/blueprint.js';
import { ConfigReader } from '../config/reader.js';
import { attention, fieldsOf, gatedMlp, linear, norm, type RecipeOf, tensor, under } from './recipe.js';

const gemma3: RecipeOf = (config) => {
  const text = new ConfigReader(config.record('text_config') ?? {}, config.path);
  const fields = fieldsOf(text);
  const { hidden, inner, headDim, vocab } = fields;
  return {
    outer: [
      tensor('language_model.model.embed_tokens.weight', vocab, hidden),
      ...norm('language_model.model.norm', hidden),
      ...vision(new ConfigReader(config.record('vision_config') ?? {}, config.path), hidden),
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
function vision(config: ConfigReader, text: number): readonly NamedShape[] {
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
  const layers = Array.from({ length: config.whole('num_hidden_layers') }, (_, layer) =>
    under(`encoder.layers.${layer}`, block),
  );
  return [
    ...under('vision_tower.vision_model', [
      tensor('embeddings.patch_embedding.weight', hidden, 3, patch, patch),
      tensor('embeddings.patch_embedding.bias', hidden),
      tensor('embeddings.position_embedding.weight', places, hidden),
      ...layers.flat(),
      ...norm('post_layernorm', hidden, true),
    ]),
    tensor('multi_modal_projector.mm_input_projection_weight', hidden, text),
    tensor('multi_modal_projector.mm_soft_emb_norm.weight', hidden),
  ];
}

export const SEEING: Readonly<Record<string, RecipeOf>> = { gemma3 };
