import { encodeBfloat16, encodeFloat16 } from '../../models/weights/half.js';
import type { GgufType } from '../gguf/types.js';

export type MergeDtype = 'f32' | 'f16' | 'bf16';

interface DtypeDefinition {
  readonly safetensors: 'F32' | 'F16' | 'BF16';
  /** As `config.json` writes it. */
  readonly torch: 'float32' | 'float16' | 'bfloat16';
  readonly bytes: number;
  /** Magnitudes from here on would become infinite. */
  readonly overflow: number;
  /** Little-endian bytes of the nearest values, ties to even. */
  encode(values: Float32Array): Uint8Array;
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
  },
  f16: {
    safetensors: 'F16',
    torch: 'float16',
    bytes: 2,
    overflow: 65520,
    encode: (values) => bytesOf(encodeFloat16(values)),
  },
  bf16: {
    safetensors: 'BF16',
    torch: 'bfloat16',
    bytes: 2,
    // Halfway between the largest bfloat16 and 2^128.
    overflow: 3.3961775292304e38,
    encode: (values) => bytesOf(encodeBfloat16(values)),
  },
};

/** How a merged model is stored. */
export type StoredAs =
  | { readonly format: 'safetensors'; readonly dtype: MergeDtype }
  | { readonly format: 'gguf'; readonly dtype: GgufType };

/** `file_format` as it was set, or what the dtype asks for. */
export function storedAs(dtype: GgufType, format: StoredAs['format'] | undefined): StoredAs {
  if (format !== 'gguf' && isFolderDtype(dtype)) return { format: 'safetensors', dtype };
  return { format: 'gguf', dtype };
}

const isFolderDtype = (dtype: GgufType): dtype is MergeDtype => Object.hasOwn(mergeDtypes, dtype);

/** In blocks of fewer than 16 bits, whose rounding is not that of a number by itself. */
export const isInBlocks = ({ dtype }: StoredAs): boolean => !isFolderDtype(dtype);

/** Magnitudes from here on would become infinite: of a number, or of the float16 scale of a block. */
export const overflowOf = ({ dtype }: StoredAs): number =>
  mergeDtypes[isFolderDtype(dtype) ? dtype : 'f16'].overflow;
