/**
 * Architectures that this program has no graph for, and transformers has, under the names that llama.cpp gives them: what their
 * `config.json` would say, and where their tensors are (`gguf-py/gguf/tensor_mapping.py`, `convert_hf_to_gguf.py`). Constants are
 * those of llama.cpp where its converter writes none (`llama-model.cpp`).
 */
import type { Json } from '../../../language/host/json.js';
import { type GgufFields, shareOf } from './families.js';
import type { GgufHeader } from './header.js';
import { type Arrangement, type PlacedTensor, pairsOfHeads, SAME } from './layout.js';

export interface ForeignGguf {
  /** `model_type` and `architectures` of `config.json`. */
  readonly modelType: string;
  readonly className: string;
  /** Rows of the query and key projections are stored in pairs (`LlamaModel.permute`). */
  readonly rotatesPairs?: boolean;
  /** `rope.dimension_count` is the width of a head and nothing else. */
  readonly wholeHeads?: boolean;
  /** Fields that not every architecture has. */
  fields(file: GgufFields): Json;
  /** Modules of a block by their parts of a name in the file; `*`: the number of an expert, of which the file has a stack. */
  readonly block: Readonly<Record<string, string>>;
}

const NORMS = { attn_norm: 'input_layernorm', ffn_norm: 'post_attention_layernorm' } as const;

const ATTENTION = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
} as const;

const HEAD_NORMS = { attn_q_norm: 'self_attn.q_norm', attn_k_norm: 'self_attn.k_norm' } as const;

const GATED = { ffn_gate: 'mlp.gate_proj', ffn_up: 'mlp.up_proj', ffn_down: 'mlp.down_proj' } as const;

const QWEN_EXPERTS = {
  ffn_gate_inp: 'mlp.gate',
  ffn_gate_exps: 'mlp.experts.*.gate_proj',
  ffn_up_exps: 'mlp.experts.*.up_proj',
  ffn_down_exps: 'mlp.experts.*.down_proj',
} as const;

const experts = (file: GgufFields): Json => ({
  num_experts: file.number('expert_count'),
  num_experts_per_tok: file.number('expert_used_count'),
  moe_intermediate_size: file.number('expert_feed_forward_length'),
  decoder_sparse_step: 1,
});

/** By `general.architecture`. */
export const FOREIGN_GGUF: Readonly<Record<string, ForeignGguf>> = {
  olmo2: {
    modelType: 'olmo2',
    className: 'Olmo2ForCausalLM',
    wholeHeads: true,
    fields: () => ({}),
    block: {
      ...ATTENTION,
      ...HEAD_NORMS,
      ...GATED,
      post_attention_norm: 'post_attention_layernorm',
      post_ffw_norm: 'post_feedforward_layernorm',
    },
  },
  qwen2moe: {
    modelType: 'qwen2_moe',
    className: 'Qwen2MoeForCausalLM',
    wholeHeads: true,
    fields: (file) => ({
      ...experts(file),
      norm_topk_prob: false,
      shared_expert_intermediate_size: file.number('expert_shared_feed_forward_length'),
      qkv_bias: file.has('blk.0.attn_q.bias'),
    }),
    block: {
      ...NORMS,
      ...ATTENTION,
      ...QWEN_EXPERTS,
      ffn_gate_shexp: 'mlp.shared_expert.gate_proj',
      ffn_up_shexp: 'mlp.shared_expert.up_proj',
      ffn_down_shexp: 'mlp.shared_expert.down_proj',
      ffn_gate_inp_shexp: 'mlp.shared_expert_gate',
    },
  },
  qwen3moe: {
    modelType: 'qwen3_moe',
    className: 'Qwen3MoeForCausalLM',
    wholeHeads: true,
    fields: (file) => ({
      ...experts(file),
      norm_topk_prob: true,
      attention_bias: file.has('blk.0.attn_q.bias'),
    }),
    block: { ...NORMS, ...ATTENTION, ...HEAD_NORMS, ...QWEN_EXPERTS },
  },
  starcoder2: {
    modelType: 'starcoder2',
    className: 'Starcoder2ForCausalLM',
    wholeHeads: true,
    fields: (file) => ({
      norm_epsilon: file.decimal('attention.layer_norm_epsilon'),
      use_bias: file.has('blk.0.attn_q.bias'),
      sliding_window: file.number('attention.sliding_window') ?? null,
    }),
    block: { ...NORMS, ...ATTENTION, ffn_up: 'mlp.c_fc', ffn_down: 'mlp.c_proj' },
  },
  stablelm: {
    modelType: 'stablelm',
    className: 'StableLmForCausalLM',
    fields: (file) => ({
      layer_norm_eps: file.decimal('attention.layer_norm_epsilon'),
      partial_rotary_factor: shareOf(file),
      use_parallel_residual: file.flag('use_parallel_residual') ?? !file.has('blk.0.ffn_norm.weight'),
      use_qkv_bias: file.has('blk.0.attn_q.bias'),
    }),
    block: { ...NORMS, ...ATTENTION, ...GATED },
  },
};

/** Is called `llama`, as the models of this name that have no experts. */
export const MIXTRAL: ForeignGguf = {
  modelType: 'mixtral',
  className: 'MixtralForCausalLM',
  rotatesPairs: true,
  wholeHeads: true,
  fields: (file) => ({
    num_local_experts: file.number('expert_count'),
    num_experts_per_tok: file.number('expert_used_count'),
    sliding_window: file.number('attention.sliding_window') ?? null,
  }),
  block: {
    ...NORMS,
    ...ATTENTION,
    ffn_gate_inp: 'block_sparse_moe.gate',
    ffn_gate_exps: 'block_sparse_moe.experts.*.w1',
    ffn_up_exps: 'block_sparse_moe.experts.*.w3',
    ffn_down_exps: 'block_sparse_moe.experts.*.w2',
  },
};

const OUTER: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
};

/** The tensors of a file that belong to a model of the architecture; what has no place in one is left out. */
export function foreignLayout(
  header: GgufHeader,
  family: ForeignGguf,
  headDim: number,
): readonly PlacedTensor[] {
  return [...header.tensors.values()].flatMap(({ name, shape }): readonly PlacedTensor[] => {
    const [, layer, part = '', suffix = ''] =
      /^(?:blk\.(\d+)\.)?([a-z0-9_]+)\.(weight|bias)$/.exec(name) ?? [];
    const module = layer === undefined ? OUTER[part] : family.block[part];
    if (module === undefined) return [];
    const path = layer === undefined ? module : `model.layers.${layer}.${module}`;
    const arrangement = arrangementOf(family, part, headDim);
    const placed = { ggufName: name, arrangement };
    // a matrix of one row is stored as a vector
    const one =
      part === 'ffn_gate_inp_shexp' &&
      shape.length === 1 &&
      ({ shape: [1, ...shape], isReshaped: true } as const);
    if (!path.includes('*')) return [{ ...placed, name: `${path}.${suffix}`, shape, ...one }];
    const [count = 0, ...own] = shape;
    return Array.from({ length: count }, (_, expert) => ({
      ...placed,
      name: `${path.replace('*', String(expert))}.${suffix}`,
      shape: own,
      member: expert,
    }));
  });
}

const arrangementOf = ({ rotatesPairs }: ForeignGguf, part: string, headDim: number): Arrangement =>
  rotatesPairs === true && (part === 'attn_q' || part === 'attn_k') ? pairsOfHeads(headDim) : SAME;
