import type { StoredFormat, StoredTensor } from '../types.js';
import { decodeBfloat16, decodeFloat16 } from './half.js';
import { elementCount } from './sizes.js';

/** A float32 tensor in memory. */
export function float32Tensor(name: string, shape: readonly number[], data: Float32Array): StoredTensor {
  checkLength(name, shape, data.length);
  const row = rowElements(shape);
  return {
    name,
    shape,
    format: 'F32',
    residentBytes: data.byteLength,
    view: () => data,
    decode: (out) => out.set(data),
    decodeRows: (first, count, out) => out.set(data.subarray(first * row, (first + count) * row)),
  };
}

const HALF_DECODERS = { F16: decodeFloat16, BF16: decodeBfloat16 } as const satisfies Partial<
  Record<StoredFormat, (source: Uint16Array, out: Float32Array) => void>
>;

/** A tensor held in 16 bits a value. */
export function halfTensor(
  name: string,
  shape: readonly number[],
  format: keyof typeof HALF_DECODERS,
  data: Uint16Array,
): StoredTensor {
  checkLength(name, shape, data.length);
  const decode = HALF_DECODERS[format];
  const row = rowElements(shape);
  return {
    name,
    shape,
    format,
    residentBytes: data.byteLength,
    view: () => undefined,
    decode: (out) => decode(data, out),
    decodeRows: (first, count, out) => decode(data.subarray(first * row, (first + count) * row), out),
  };
}

/** Values of one step of the first dimension. */
export function rowElements(shape: readonly number[]): number {
  return elementCount(shape.slice(1));
}

function checkLength(name: string, shape: readonly number[], length: number): void {
  if (elementCount(shape) !== length)
    throw new RangeError(`${name}: ${length} values for [${shape.join(', ')}]`);
}
