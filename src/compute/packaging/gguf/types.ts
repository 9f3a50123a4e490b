/** What a GGUF file may be stored as: the mixes of llama.cpp's `llama-quantize`. */
import type { BlockFormat } from '../../models/weights/formats.js';

interface GgufTypeDefinition {
  /** What most matrices are stored as. */
  readonly format: BlockFormat;
  /** `general.file_type` (llama.h, `enum llama_ftype`). */
  readonly fileType: number;
  /**
   * How far the logits of a merged model may be from the float32 merge: root mean square of the difference over that of the
   * logits, both less their mean over the vocabulary. Twice the largest that was measured of three models
   * (docs/models.md, "The proof of a merge"), and below 1, which is what logits that are all the same are off by; of 16 bits
   * four to six times, since deeper models add up more.
   */
  readonly tolerance: number;
}

/** By the names of `dtype`. */
export const GGUF_TYPES = {
  f32: { format: 'F32', fileType: 0, tolerance: 1e-4 },
  f16: { format: 'F16', fileType: 1, tolerance: 0.01 },
  bf16: { format: 'BF16', fileType: 32, tolerance: 0.05 },
  q8_0: { format: 'Q8_0', fileType: 7, tolerance: 0.09 },
  q6_k: { format: 'Q6_K', fileType: 18, tolerance: 0.17 },
  q5_k_m: { format: 'Q5_K', fileType: 17, tolerance: 0.57 },
  q5_k_s: { format: 'Q5_K', fileType: 16, tolerance: 0.57 },
  q5_1: { format: 'Q5_1', fileType: 9, tolerance: 0.72 },
  q5_0: { format: 'Q5_0', fileType: 8, tolerance: 0.58 },
  q4_k_m: { format: 'Q4_K', fileType: 15, tolerance: 0.55 },
  q4_k_s: { format: 'Q4_K', fileType: 14, tolerance: 0.55 },
  q4_1: { format: 'Q4_1', fileType: 3, tolerance: 0.9 },
  q4_0: { format: 'Q4_0', fileType: 2, tolerance: 0.9 },
} as const satisfies Readonly<Record<string, GgufTypeDefinition>>;

export type GgufType = keyof typeof GGUF_TYPES;
