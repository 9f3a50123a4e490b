/** What a GGUF file says about rotary frequencies that are changed for long texts, as `rope_scaling` of `config.json`. */
import type { Json } from '../../../language/host/json.js';
import { shown } from '../shown.js';
import type { GgufFields } from './fields.js';

/** The divisors of the frequencies in a tensor such as `rope_freqs.weight`. */
type ReadTensor = (name: string) => Float32Array | undefined;

/** Llama 3.1 and later (`modeling_rope_utils.py`, `_compute_llama3_parameters`): all of them have these. */
const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 } as const;

/** Nothing if frequencies are as they were; `unsupported` refuses a kind that is not understood. */
export function ggufRope(
  file: GgufFields,
  read: ReadTensor,
  theta: number,
  unsupported: (detail: string) => never,
): Json | undefined {
  const [plain, short, long] = ['rope_freqs', 'rope_factors_short', 'rope_factors_long'].map((name) =>
    read(`${name}.weight`),
  );
  if (short !== undefined && long !== undefined)
    return {
      rope_type: 'longrope',
      short_factor: [...short],
      long_factor: [...long],
      original_max_position_embeddings: file.number('rope.scaling.original_context_length'),
      attention_factor: file.decimal('rope.scaling.attn_factor'),
    };
  if (plain !== undefined) return ofDivisors(file, plain, theta);
  const type = file.value('rope.scaling.type') ?? 'none';
  if (type === 'none') return undefined;
  if (type === 'linear') return { rope_type: 'linear', factor: file.decimal('rope.scaling.factor') };
  return unsupported(`${file.architecture}.rope.scaling.type is ${shown(type)}.`);
}

/** llama.cpp keeps what Llama 3's rule gives, not the rule: it is known again by its divisors. */
function ofDivisors(file: GgufFields, divisors: Float32Array, theta: number): Json {
  const factor = Math.round(Math.max(...divisors));
  const known = divisors.every((divisor, i) => {
    const expected = llama3Divisor(factor, theta ** (i / divisors.length));
    return Math.abs(divisor - expected) <= 1e-5 * expected;
  });
  if (known) return { rope_type: 'llama3', factor, ...LLAMA3 };
  const factors = [...divisors];
  return {
    rope_type: 'longrope',
    short_factor: factors,
    long_factor: factors,
    original_max_position_embeddings: file.number('context_length'),
    attention_factor: 1,
  };
}

/** `period` is 1 ÷ frequency. */
function llama3Divisor(factor: number, period: number): number {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = LLAMA3;
  const turns = original / (2 * Math.PI * period);
  if (turns > high) return 1;
  if (turns < low) return factor;
  const smooth = (turns - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
}
