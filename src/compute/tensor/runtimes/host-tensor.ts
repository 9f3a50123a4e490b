import { translateHostError } from '../out-of-memory.js';
import { bytesOf, sizeOf } from '../shape.js';
import type { DType, HostTensor, TensorType } from '../types.js';

type Data = HostTensor['data'];

interface ArrayKind {
  new (length: number): Data;
  new (memory: ArrayBufferLike, offset: number, length: number): Data;
}

const ARRAYS: Readonly<Record<DType, ArrayKind>> = {
  f32: Float32Array,
  i32: Int32Array,
  i64: BigInt64Array,
  bool: Uint8Array,
};

/** Zeros for a tensor of this type. */
export function allocate(type: TensorType): Data {
  try {
    return new ARRAYS[type.dtype](sizeOf(type.shape));
  } catch (error) {
    throw translateHostError(error, bytesOf(type));
  }
}

/** A tensor's values at the beginning of some memory, or from `offset` bytes on. */
export const viewOf = ({ dtype, shape }: TensorType, memory: ArrayBufferLike, offset = 0): Data =>
  new ARRAYS[dtype](memory, offset, sizeOf(shape));
