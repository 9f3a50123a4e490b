/** What a GGUF file may be stored as: the mixes of llama.cpp's `llama-quantize`. */
import type { BlockFormat } from '../../models/weights/formats.js';

interface GgufTypeDefinition {
  /** What most matrices are stored as. */
  readonly format: BlockFormat;
  /** `general.file_type` (llama.h, `enum llama_ftype`). */
  readonly fileType: number;
  /**
   * How far a logit of the file's model may be from the float32 merge, relative to the largest logit. For blocks it is
   * about ten times what a weight is rounded by, relative to the weights of its matrix (root mean square).
   */
  readonly tolerance: number;
}

/** By the names of `dtype`. */
export const GGUF_TYPES = {
  f32: { format: 'F32', fileType: 0, tolerance: 1e-4 },
  f16: { format: 'F16', fileType: 1, tolerance: 2e-2 },
  bf16: { format: 'BF16', fileType: 32, tolerance: 1.6e-1 },
  q8_0: { format: 'Q8_0', fileType: 7, tolerance: 0.06 },
  q6_k: { format: 'Q6_K', fileType: 18, tolerance: 0.2 },
  q5_k_m: { format: 'Q5_K', fileType: 17, tolerance: 0.4 },
  q5_k_s: { format: 'Q5_K', fileType: 16, tolerance: 0.4 },
  q5_1: { format: 'Q5_1', fileType: 9, tolerance: 0.4 },
  q5_0: { format: 'Q5_0', fileType: 8, tolerance: 0.5 },
  q4_k_m: { format: 'Q4_K', fileType: 15, tolerance: 0.8 },
  q4_k_s: { format: 'Q4_K', fileType: 14, tolerance: 0.8 },
  q4_1: { format: 'Q4_1', fileType: 3, tolerance: 0.8 },
  q4_0: { format: 'Q4_0', fileType: 2, tolerance: 0.9 },
} as const satisfies Readonly<Record<string, GgufTypeDefinition>>;

export type GgufType = keyof typeof GGUF_TYPES;
