/** Architectures whose blocks have Llama's names, as transformers' `modeling_*.py` of each; with experts as it keeps them. */
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
  qwenMixture,
  type Recipe,
  type RecipeOf,
  sharingExperts,
  tensor,
  under,
} from './recipe.js';

const NO_BIAS = { inputs: false, output: false };
const NORMS = ['input_layernorm', 'post_attention_layernorm'];

/** A pre-norm block; what is left out is as in Llama. */
interface Parts {
  readonly bias?: { readonly inputs: boolean; readonly output: boolean };
  readonly norms?: readonly string[];
  /** Next to the projections. */
  readonly attention?: readonly NamedShape[];
  mlp?(layer: number): readonly NamedShape[];
}

function llamaLike(config: ConfigReader, fields: Fields, parts: Parts): Recipe {
  const { hidden, inner, layers } = fields;
  const { bias = NO_BIAS, norms = NORMS, attention: more = [] } = parts;
  const mlp = parts.mlp ?? (() => gatedMlp(hidden, inner));
  return {
    outer: llamaOuter(config, fields),
    blocksAt: 'model.layers',
    layers,
    block: (layer) => [
      ...norms.flatMap((name) => norm(name, hidden)),
      ...under('self_attn', [...attention(fields, bias), ...more]),
      ...under('mlp', mlp(layer)),
    ],
  };
}

const headNorms = ({ headDim }: Fields): readonly NamedShape[] => [
  ...norm('q_norm', headDim),
  ...norm('k_norm', headDim),
];

const plain: RecipeOf = (config) => llamaLike(config, fieldsOf(config), {});

const mixtral: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const count = config.whole('num_local_experts', 8);
  return llamaLike(config, fields, {
    mlp: () => [tensor('gate.weight', count, fields.hidden), ...experts(count, fields.hidden, fields.inner)],
  });
};

const qwen2Moe: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  return llamaLike(config, fields, {
    bias: { inputs: true, output: false },
    mlp: qwenMixture(config, fields),
  });
};

const qwen3Moe: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  return llamaLike(config, fields, { attention: headNorms(fields), mlp: qwenMixture(config, fields) });
};

/** Norms over all queries and all keys (arXiv 2409.02060). */
const olmoe: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { hidden, inner, queries, keys } = fields;
  const count = config.whole('num_experts', 64);
  return llamaLike(config, fields, {
    attention: [...norm('q_norm', queries), ...norm('k_norm', keys)],
    mlp: () => [tensor('gate.weight', count, hidden), ...experts(count, hidden, inner)],
  });
};

/** The same norms; what chooses experts has a bias that no gradient moves. */
const minimaxM2: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { hidden, inner, queries, keys } = fields;
  const count = config.whole('num_local_experts', 256);
  return llamaLike(config, fields, {
    attention: [...norm('q_norm', queries), ...norm('k_norm', keys)],
    mlp: () => [
      tensor('gate.weight', count, hidden),
      tensor('e_score_correction_bias', count),
      ...experts(count, hidden, inner),
    ],
  });
};

const seedOss: RecipeOf = (config) => {
  const bias = {
    inputs: config.flag('attention_bias', true),
    output: config.flag('attention_out_bias', false),
  };
  return llamaLike(config, fieldsOf(config), { bias });
};

/** Its MLP has no gate, and its activation two trained numbers (arXiv 2509.14233). */
const apertus: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { hidden, inner } = fields;
  return llamaLike(config, fields, {
    norms: ['attention_layernorm', 'feedforward_layernorm'],
    attention: headNorms(fields),
    mlp: () => [
      ...linear('up_proj', inner, hidden),
      ...linear('down_proj', hidden, inner),
      tensor('act_fn.alpha_p', 1),
      tensor('act_fn.alpha_n', 1),
    ],
  });
};

/** Its norms have no weights (arXiv 2402.00838). */
const olmo: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  return {
    ...llamaLike(config, fields, { norms: [] }),
    outer: llamaOuter(config, fields, []),
  };
};

/** Norms after attention and MLP, and over all queries and all keys (arXiv 2501.00656). */
const olmo2: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  return llamaLike(config, fields, {
    norms: ['post_attention_layernorm', 'post_feedforward_layernorm'],
    attention: [...norm('q_norm', fields.queries), ...norm('k_norm', fields.keys)],
  });
};

/** A norm before and after attention and MLP; gate and `up` are one layer. */
const glm4: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { hidden, inner } = fields;
  return llamaLike(config, fields, {
    bias: { inputs: config.flag('attention_bias'), output: false },
    norms: [...NORMS, 'post_self_attn_layernorm', 'post_mlp_layernorm'],
    mlp: () => [...linear('gate_up_proj', 2 * inner, hidden), ...linear('down_proj', hidden, inner)],
  });
};

const glm4Moe: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  return llamaLike(config, fields, {
    bias: { inputs: config.flag('attention_bias'), output: false },
    attention: config.flag('use_qk_norm') ? headNorms(fields) : [],
    mlp: sharingExperts(config, fields, true),
  });
};

/** Attention and MLP in parallel, after one norm without a bias; norms of queries and keys have weights for each head. */
const cohere: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { heads, keys, headDim } = fields;
  return llamaLike(config, fields, {
    norms: ['input_layernorm'],
    attention: config.flag('use_qk_norm')
      ? [tensor('q_norm.weight', heads, headDim), tensor('k_norm.weight', keys / headDim, headDim)]
      : [],
  });
};

const gptOss: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { hidden, inner, heads } = fields;
  const count = config.whole('num_local_experts');
  return llamaLike(config, fields, {
    bias: { inputs: true, output: true },
    attention: [tensor('sinks', heads)],
    mlp: () => [
      ...linear('router', count, hidden, true),
      tensor('experts.gate_up_proj', count, hidden, 2 * inner),
      tensor('experts.gate_up_proj_bias', count, 2 * inner),
      tensor('experts.down_proj', count, inner, hidden),
      tensor('experts.down_proj_bias', count, hidden),
    ],
  });
};

const stablelm: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { hidden, inner, heads, headDim } = fields;
  const keyHeads = fields.keys / headDim;
  const ofHeads = (name: string, count: number): readonly NamedShape[] =>
    Array.from({ length: count }, (_, head) => tensor(`${name}.norms.${head}.weight`, headDim));
  const isParallel = config.flag('use_parallel_residual');
  return {
    outer: llamaOuter(config, fields, norm('norm', hidden, true)),
    blocksAt: 'model.layers',
    layers: fields.layers,
    block: () => [
      ...norm('input_layernorm', hidden, true),
      ...(isParallel ? [] : norm('post_attention_layernorm', hidden, true)),
      ...under('self_attn', [
        ...attention(fields, { inputs: config.flag('use_qkv_bias'), output: false }),
        ...(config.flag('qk_layernorm')
          ? [...ofHeads('q_layernorm', heads), ...ofHeads('k_layernorm', keyHeads)]
          : []),
      ]),
      ...under('mlp', gatedMlp(hidden, inner)),
    ],
  };
};

/** Llama's blocks with layer norms, around an MLP of their own. `bias`: of attention. */
const layerNormed = (
  config: ConfigReader,
  bias: boolean,
  mlp: (fields: Fields) => readonly NamedShape[],
): Recipe => {
  const fields = fieldsOf(config);
  return {
    outer: llamaOuter(config, fields, norm('norm', fields.hidden, true)),
    blocksAt: 'model.layers',
    layers: fields.layers,
    block: () => [
      ...NORMS.flatMap((name) => norm(name, fields.hidden, true)),
      ...under('self_attn', attention(fields, { inputs: bias, output: bias })),
      ...under('mlp', mlp(fields)),
    ],
  };
};

/** No gate in the MLP (arXiv 2407.14679). */
const nemotron: RecipeOf = (config) => {
  const bias = config.flag('mlp_bias');
  return layerNormed(config, config.flag('attention_bias'), ({ hidden, inner }) => [
    ...linear('up_proj', inner, hidden, bias),
    ...linear('down_proj', hidden, inner, bias),
  ]);
};

/** Phi-3.5-MoE: Mixtral's experts between layer norms. */
const phiMoe: RecipeOf = (config) => {
  const count = config.whole('num_local_experts', 16);
  const recipe = layerNormed(config, config.flag('attention_bias'), ({ hidden, inner }) => [
    tensor('router.weight', count, hidden),
    ...experts(count, hidden, inner),
  ]);
  const bias = config.flag('lm_head_bias') ? [tensor('lm_head.bias', fieldsOf(config).vocab)] : [];
  return { ...recipe, outer: [...recipe.outer, ...bias] };
};

const starcoder2: RecipeOf = (config) => {
  const bias = config.flag('use_bias', true);
  return layerNormed(config, bias, ({ hidden, inner }) => [
    ...linear('c_fc', inner, hidden, bias),
    ...linear('c_proj', hidden, inner, bias),
  ]);
};

/** Attention and MLP in parallel, after one norm. */
const phi: RecipeOf = (config) => {
  const fields = fieldsOf(config);
  const { hidden, inner, vocab } = fields;
  return {
    outer: [
      ...llamaOuter(config, fields, norm('final_layernorm', hidden, true)),
      tensor('lm_head.bias', vocab),
    ],
    blocksAt: 'model.layers',
    layers: fields.layers,
    block: () => [
      ...norm('input_layernorm', hidden, true),
      ...under(
        'self_attn',
        attention(fields, { inputs: true, output: true }, ['q_proj', 'k_proj', 'v_proj', 'dense']),
      ),
      ...under('mlp', [...linear('fc1', inner, hidden, true), ...linear('fc2', hidden, inner, true)]),
    ],
  };
};

export const LLAMA_LIKE: Readonly<Record<string, RecipeOf>> = {
  gemma: plain,
  granite: plain,
  mixtral,
  qwen2_moe: qwen2Moe,
  qwen3_moe: qwen3Moe,
  olmoe,
  minimax_m2: minimaxM2,
  phimoe: phiMoe,
  seed_oss: seedOss,
  apertus,
  nemotron,
  olmo,
  olmo2,
  olmo3: olmo2,
  glm4,
  glm4_moe: glm4Moe,
  cohere,
  cohere2: cohere,
  gpt_oss: gptOss,
  stablelm,
  starcoder2,
  phi,
};
