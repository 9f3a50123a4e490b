/** What the benchmark of GPUs trains: tiny models of every family, and models of the sizes that people train. */

/** A configuration of transformers, with its `type`. */
type Shape = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** The tokenizer is that of the starter model. */
const VOCABULARY = { vocab_size: 4096, bos_token_id: 1, eos_token_id: 2, pad_token_id: 0 };

const tiny = (type: string, more: Shape = {}): Shape => ({
  type,
  ...VOCABULARY,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: 512,
  ...more,
});

/** By the name of the family, as ftpc calls it. */
export const FAMILIES: Readonly<Record<string, Shape>> = {
  llama: tiny('llama'),
  mistral: tiny('mistral', { sliding_window: null }),
  qwen2: tiny('qwen2'),
  qwen3: tiny('qwen3'),
  gemma2: tiny('gemma2', { query_pre_attn_scalar: 16, sliding_window: 32 }),
  gemma3: tiny('gemma3_text', { query_pre_attn_scalar: 16, sliding_window: 32 }),
  phi3: tiny('phi3', { sliding_window: null, original_max_position_embeddings: 512 }),
  smollm3: tiny('smollm3'),
  gpt2: { type: 'gpt2', ...VOCABULARY, n_embd: 64, n_layer: 2, n_head: 4, n_positions: 512 },
  neox: {
    ...{ type: 'gpt_neox', ...VOCABULARY, hidden_size: 64, intermediate_size: 128 },
    ...{ num_hidden_layers: 2, num_attention_heads: 4, max_position_embeddings: 512 },
  },
};

const SEVEN_BILLION: Shape = {
  ...{ type: 'llama', ...VOCABULARY, vocab_size: 32_000, dtype: 'bfloat16' },
  ...{ hidden_size: 4096, intermediate_size: 11_008, num_hidden_layers: 32 },
  ...{ num_attention_heads: 32, num_key_value_heads: 32, max_position_embeddings: 4096 },
};

export type Method = 'lora' | 'qlora' | 'full';

export interface Training {
  readonly title: string;
  readonly method: Method;
  /** Random weights of this shape; default: the starter model. */
  readonly shape?: Shape;
  /** Rows of a step. */
  readonly micro: number;
  /** Bytes of a GPU below which it does not fit. */
  readonly needs: number;
}

const GB = 1e9;

export const TRAININGS: readonly Training[] = [
  { title: 'starter, LoRA', method: 'lora', micro: 8, needs: 0 },
  { title: 'starter, QLoRA', method: 'qlora', micro: 8, needs: 0 },
  { title: 'starter, full', method: 'full', micro: 8, needs: 0 },
  { title: '7B, LoRA', method: 'lora', shape: SEVEN_BILLION, micro: 4, needs: 24 * GB },
  { title: '7B, QLoRA', method: 'qlora', shape: SEVEN_BILLION, micro: 4, needs: 16 * GB },
  // float32 weights, gradients and two moments
  { title: '7B, full', method: 'full', shape: SEVEN_BILLION, micro: 1, needs: 125 * GB },
];
