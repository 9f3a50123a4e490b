import { encodeBfloat16, encodeFloat16 } from '../../models/weights/half.js';

export type MergeDtype = 'f32' | 'f16' | 'bf16';

export interface DtypeDefinition {
  readonly safetensors: 'F32' | 'F16' | 'BF16';
  /** As `config.json` writes it. */
  readonly torch: 'float32' | 'float16' | 'bfloat16';
  readonly bytes: number;
  /** Magnitudes from here on would become infinite. */
  readonly overflow: number;
  /** Little-endian bytes of the nearest values, ties to even. */
  encode(values: Float32Array): Uint8Array;
  /**
   * How far a logit of the merged model may be from base and adapter, relative to the largest logit: about forty
   * roundings of a weight, which is what a deep model adds up to.
   */
  readonly tolerance: number;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint16Array | Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export const mergeDtypes: Readonly<Record<MergeDtype, DtypeDefinition>> = {
  f32: {
    safetensors: 'F32',
    torch: 'float32',
    bytes: 4,
    overflow: Number.POSITIVE_INFINITY,
    encode: bytesOf,
    tolerance: 1e-4,
  },
  f16: {
    safetensors: 'F16',
    torch: 'float16',
    bytes: 2,
    overflow: 65520,
    encode: (values) => bytesOf(encodeFloat16(values)),
    tolerance: 2e-2,
  },
  bf16: {
    safetensors: 'BF16',
    torch: 'bfloat16',
    bytes: 2,
    // Halfway between the largest bfloat16 and 2^128.
    overflow: 3.3961775292304e38,
    encode: (values) => bytesOf(encodeBfloat16(values)),
    tolerance: 1.6e-1,
  },
};
