/**
 * The families under the names that llama.cpp gives them (`general.architecture`), and the fields of `config.json` that
 * only they have. Constants are those of llama.cpp where its converter writes none (`llama-model.cpp`).
 */

import type { Json } from '../../../language/host/json.js';
import { shown } from '../read-file.js';
import { ModelError } from '../types.js';
import { HELP } from './cursor.js';
import type { GgufHeader, GgufValue } from './header.js';

/** The key-value pairs of a GGUF file, by type. */
export class GgufFields {
  constructor(
    readonly header: GgufHeader,
    readonly architecture: string,
  ) {}

  /** A number under the architecture's name: `attention.head_count`. */
  number(key: string): number | undefined {
    return numberIn(this.header, this.own(key));
  }

  /** A float32 as the shortest decimal that stands for it: 1e-5 went into the file, not 9.99999974737875e-6. */
  decimal(key: string): number | undefined {
    const value = this.number(key);
    return value === undefined ? undefined : shortest(value);
  }

  flag(key: string): boolean | undefined {
    return flagIn(this.header, this.own(key));
  }

  value(key: string): GgufValue | undefined {
    return this.header.values.get(this.own(key));
  }

  /** A number under a whole name: `tokenizer.ggml.bos_token_id`. */
  plain(key: string): number | undefined {
    return numberIn(this.header, key);
  }

  has(tensor: string): boolean {
    return this.header.tensors.has(tensor);
  }

  private own(key: string): string {
    return `${this.architecture}.${key}`;
  }
}

/** `undefined` if the key is not there; throws a {@link ModelError} if it is of another type. */
const valueIn =
  <T>(kind: string, read: (value: GgufValue) => T | undefined) =>
  ({ path, values }: GgufHeader, key: string): T | undefined => {
    const value = values.get(key);
    if (value === undefined) return undefined;
    const found = read(value);
    if (found !== undefined) return found;
    throw new ModelError('gguf_invalid', path, `${key} is ${shown(value)}; it must be ${kind}.`, HELP);
  };

export const numberIn = valueIn('a number', (value) =>
  typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : undefined,
);

export const flagIn = valueIn('true or false', (value) => (typeof value === 'boolean' ? value : undefined));

export const textIn = valueIn('a text', (value) => (typeof value === 'string' ? value : undefined));

function shortest(value: number): number {
  for (let digits = 1; digits < 10; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return value;
}

export interface GgufFamily {
  /** `model_type` of `config.json`. */
  readonly modelType: string;
  /** Rows of the query and key projections are stored in pairs (`LlamaModel.permute`). */
  readonly rotatesPairs?: boolean;
  /** `rope.dimension_count` is the width of a head and nothing else. */
  readonly wholeHeads?: boolean;
  readonly fields: (file: GgufFields) => Json;
}

const biases = (file: GgufFields): Json => ({
  attention_bias: file.has('blk.0.attn_q.bias'),
  mlp_bias: file.has('blk.0.ffn_down.bias'),
});

const gemma = (file: GgufFields, largest: number): Json => ({
  sliding_window: file.number('attention.sliding_window'),
  // the largest model of either family divides by the width of a head that its hidden size would give
  query_pre_attn_scalar:
    file.number('block_count') === largest
      ? (file.number('embedding_length') ?? 0) / (file.number('attention.head_count') ?? 1)
      : file.number('attention.key_length'),
  final_logit_softcapping: file.decimal('final_logit_softcapping'),
  attn_logit_softcapping: file.decimal('attn_logit_softcapping'),
});

const GEMMA3_PATTERN = 6;

/** Every how many layers one sees all, or of each layer whether it sees a window only. */
function windows(file: GgufFields): Json {
  const pattern = file.value('attention.sliding_window_pattern');
  return Array.isArray(pattern)
    ? { layer_types: pattern.map((narrow) => (narrow ? 'sliding_attention' : 'full_attention')) }
    : { sliding_window_pattern: file.number('attention.sliding_window_pattern') ?? GEMMA3_PATTERN };
}

export const GGUF_FAMILIES: Readonly<Record<string, GgufFamily>> = {
  llama: {
    modelType: 'llama',
    rotatesPairs: true,
    wholeHeads: true,
    fields: (file) => {
      const window = file.number('attention.sliding_window');
      // the one thing that sets Mistral apart
      return window === undefined
        ? biases(file)
        : { ...biases(file), model_type: 'mistral', sliding_window: window };
    },
  },
  qwen2: { modelType: 'qwen2', fields: () => ({}) },
  qwen3: { modelType: 'qwen3', fields: (file) => ({ attention_bias: file.has('blk.0.attn_q.bias') }) },
  smollm3: {
    modelType: 'smollm3',
    rotatesPairs: true,
    wholeHeads: true,
    fields: (file) => ({ ...biases(file), no_rope_layer_interval: 4 }),
  },
  gemma2: { modelType: 'gemma2', fields: (file) => gemma(file, 46) },
  gemma3: {
    modelType: 'gemma3_text',
    fields: (file) => ({
      ...gemma(file, 62),
      rope_local_base_freq: file.decimal('rope.freq_base_swa') ?? 10_000,
      ...windows(file),
      rope_theta: file.decimal('rope.freq_base') ?? 1_000_000,
    }),
  },
  phi3: {
    modelType: 'phi3',
    fields: (file) => ({
      // 0: none
      sliding_window: file.number('attention.sliding_window') || undefined,
      partial_rotary_factor: shareOf(file),
    }),
  },
  gpt2: {
    modelType: 'gpt2',
    fields: (file) => ({
      n_embd: file.number('embedding_length'),
      n_layer: file.number('block_count'),
      n_head: file.number('attention.head_count'),
      n_positions: file.number('context_length'),
      n_inner: file.number('feed_forward_length'),
      layer_norm_epsilon: file.decimal('attention.layer_norm_epsilon'),
    }),
  },
  gptneox: {
    modelType: 'gpt_neox',
    fields: (file) => ({
      layer_norm_eps: file.decimal('attention.layer_norm_epsilon'),
      use_parallel_residual: file.flag('use_parallel_residual') ?? true,
      rotary_pct: shareOf(file),
      attention_bias: file.has('blk.0.attn_qkv.bias'),
    }),
  },
};

/** The part of every head that is turned. */
export function shareOf(file: GgufFields): number | undefined {
  const turned = file.number('rope.dimension_count');
  const width =
    file.number('attention.key_length') ??
    (file.number('embedding_length') ?? Number.NaN) / (file.number('attention.head_count') ?? Number.NaN);
  return turned === undefined ? undefined : turned / width;
}

export const rotatesPairs = ({ values }: GgufHeader): boolean =>
  GGUF_FAMILIES[String(values.get('general.architecture'))]?.rotatesPairs ?? false;
