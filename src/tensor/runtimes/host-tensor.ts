import { sizeOf } from '../shape.js';
import type { DType, HostTensor, TensorType } from '../types.js';

const ARRAYS: Readonly<Record<DType, (length: number) => HostTensor['data']>> = {
  f32: (length) => new Float32Array(length),
  i32: (length) => new Int32Array(length),
  i64: (length) => new BigInt64Array(length),
  bool: (length) => new Uint8Array(length),
};

/** Zeros for a tensor of this type. */
export const allocate = ({ dtype, shape }: TensorType): HostTensor['data'] => ARRAYS[dtype](sizeOf(shape));
