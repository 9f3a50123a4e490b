import { parseConfig } from '../config/index.js';
import { type ModelConfig, ModelError } from '../types.js';
import type { GgufHeader, GgufValue } from './header.js';

/** The config of a Llama-shaped GGUF file. Throws a {@link ModelError}. */
export function ggufConfig({ path, values, tensors }: GgufHeader): ModelConfig {
  const unsupported = (detail: string): ModelError =>
    new ModelError(
      'model_unsupported',
      path,
      detail,
      'Supported is the Llama architecture without rotary scaling.',
    );
  const architecture = values.get('general.architecture');
  if (architecture !== 'llama')
    throw unsupported(`general.architecture is ${JSON.stringify(architecture ?? null)}.`);
  const scaling = values.get('llama.rope.scaling.type') ?? 'none';
  if (scaling !== 'none') throw unsupported(`llama.rope.scaling.type is ${JSON.stringify(scaling)}.`);
  if (tensors.has('rope_freqs.weight'))
    throw unsupported('The file scales its rotary frequencies (rope_freqs.weight).');
  if ([...tensors.keys()].some((name) => name.endsWith('.bias'))) throw unsupported('The file has biases.');
  const read = (key: string): number | undefined => plainNumber(values.get(key));
  const tokens = values.get('tokenizer.ggml.tokens');
  const embedding = tensors.get('token_embd.weight')?.shape;
  const headDim = read('llama.attention.key_length') ?? read('llama.rope.dimension_count');
  const rotated = read('llama.rope.dimension_count');
  if (rotated !== undefined && rotated !== headDim)
    throw unsupported(`Only ${rotated} of ${headDim} values of a head are rotated.`);
  return parseConfig(
    {
      model_type: 'llama',
      vocab_size: embedding?.[0] ?? (Array.isArray(tokens) ? tokens.length : undefined),
      hidden_size: read('llama.embedding_length'),
      intermediate_size: read('llama.feed_forward_length'),
      num_hidden_layers: read('llama.block_count'),
      num_attention_heads: read('llama.attention.head_count'),
      num_key_value_heads: read('llama.attention.head_count_kv'),
      head_dim: headDim,
      max_position_embeddings: read('llama.context_length'),
      rope_theta: read('llama.rope.freq_base'),
      rms_norm_eps: shortest(read('llama.attention.layer_norm_rms_epsilon')),
      tie_word_embeddings: !tensors.has('output.weight'),
      bos_token_id: read('tokenizer.ggml.bos_token_id'),
      eos_token_id: read('tokenizer.ggml.eos_token_id'),
      pad_token_id: read('tokenizer.ggml.padding_token_id'),
    },
    path,
  );
}

function plainNumber(value: GgufValue | undefined): number | undefined {
  return typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : undefined;
}

/** The shortest decimal that is this float32: 1e-5 went into the file, not 9.99999974737875e-6. */
function shortest(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  for (let digits = 1; digits < 10; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}
