import type { LocatedTensor, TensorSource } from '../safetensors/folder.js';
import { ModelError } from '../types.js';
import { decodeBfloat16, decodeFloat16 } from './half.js';

export type FileFormat = 'F32' | 'F16' | 'BF16';

/** A tensor in a file of any format, not yet read. */
export interface SourceTensor {
  readonly name: string;
  /** The file that holds it. */
  readonly path: string;
  readonly shape: readonly number[];
  /** The format in which it is held when it is stored as it is. Throws a {@link ModelError} for one that can't be read. */
  format(): FileFormat;
  /** Values `start … start + count` as float32, row-major. */
  read(start: number, count: number): Float32Array;
  /** The 16-bit values as they stand, for the formats F16 and BF16. */
  readHalves(): Uint16Array;
}

/** A model's tensors by their Hugging Face names. */
export type WeightSource = ReadonlyMap<string, SourceTensor>;

const VALUE_BYTES: Readonly<Record<FileFormat, number>> = { F32: 4, F16: 2, BF16: 2 };

const DECODERS: Readonly<Record<FileFormat, (raw: Uint8Array) => Float32Array>> = {
  F32: (raw) => new Float32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4),
  F16: (raw) => decodeHalves(raw, decodeFloat16),
  BF16: (raw) => decodeHalves(raw, decodeBfloat16),
};

/** Float32 values of little-endian bytes; a view of them where they are float32 already. */
export function decodeFloats(raw: Uint8Array, format: FileFormat): Float32Array {
  return DECODERS[format](raw);
}

function decodeHalves(
  raw: Uint8Array,
  decode: (source: Uint16Array, out: Float32Array) => void,
): Float32Array {
  const source = new Uint16Array(raw.buffer, raw.byteOffset, raw.byteLength / 2);
  const out = new Float32Array(source.length);
  decode(source, out);
  return out;
}

/** A tensor of a safetensors file. */
export function safetensorsTensor({ entry, file }: LocatedTensor): SourceTensor {
  const format = (): FileFormat => {
    if (Object.hasOwn(DECODERS, entry.dtype)) return entry.dtype as FileFormat;
    throw new ModelError(
      'model_weights',
      file.path,
      `Tensor "${entry.name}" is of type ${entry.dtype}; weights are read as F32, F16 or BF16.`,
      'Convert the model to one of those types; a quantised model must be de-quantised first.',
    );
  };
  return {
    name: entry.name,
    path: file.path,
    shape: entry.shape,
    format,
    read(start, count) {
      const bytes = VALUE_BYTES[format()];
      return decodeFloats(file.read(entry, start * bytes, count * bytes), format());
    },
    readHalves() {
      const raw = file.read(entry);
      return new Uint16Array(raw.buffer, raw.byteOffset, raw.byteLength / 2);
    },
  };
}

export function safetensorsSource(tensors: TensorSource): WeightSource {
  return new Map([...tensors].map(([name, located]) => [name, safetensorsTensor(located)]));
}
