/** The memory of runtimes that compute in host memory. */
import { discarded } from './garbage.js';
import { allocateOnHost, translateHostError } from './out-of-memory.js';
import { bytesOf, GraphError, sizeOf } from './shape.js';
import type { Account, DType, HostTensor, Memory, Tensor, TensorBuffer, TensorType } from './types.js';

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

/** Narrows to a host tensor. Throws a {@link GraphError} for a device tensor. */
export function onHost(tensor: Tensor): HostTensor {
  if (tensor.data === undefined) throw new GraphError('a tensor of a device where one of the host is needed');
  return tensor;
}

/** Keeps an {@link Account}. */
export class Ledger implements Account {
  tensors = 0;
  bytes = 0;
  peak = 0;

  add(bytes: number): void {
    this.tensors += 1;
    this.bytes += bytes;
    this.peak = Math.max(this.peak, this.bytes);
  }

  remove(bytes: number): void {
    this.tensors -= 1;
    this.bytes -= bytes;
  }
}

/** Host memory. Its account covers buffers only: held tensors belong to the caller. */
export function hostMemory(): Memory {
  const account = new Ledger();
  return {
    isHost: true,
    account,
    buffer: () => new HostBuffer(account),
    hold: (tensor) => tensor,
    holdPacked: () => undefined,
    free() {},
    write(tensors, fill) {
      fill(...tensors.map((tensor) => onHost(tensor).data));
    },
    zero(tensor) {
      const { buffer, byteOffset, byteLength } = onHost(tensor).data;
      new Uint8Array(buffer, byteOffset, byteLength).fill(0);
    },
    read: async (tensor) => onHost(tensor),
  };
}

/** One buffer, as long as the largest tensor that was ever placed in it. */
class HostBuffer implements TensorBuffer {
  private memory: ArrayBuffer | undefined;
  /** Views of it, by type and shape. */
  private readonly tensors = new Map<string, HostTensor>();

  constructor(private readonly ledger: Ledger) {}

  tensor(type: TensorType): Tensor {
    const bytes = bytesOf(type);
    if (this.memory === undefined || this.memory.byteLength < bytes) {
      this.release();
      this.memory = allocateOnHost(bytes, (size) => new ArrayBuffer(size));
      this.ledger.add(bytes);
    }
    const key = `${type.dtype}[${type.shape.join()}]`;
    const known = this.tensors.get(key);
    if (known !== undefined) return known;
    const tensor = { type, data: viewOf(type, this.memory) };
    this.tensors.set(key, tensor);
    return tensor;
  }

  release(): void {
    if (this.memory === undefined) return;
    const before = this.memory.byteLength;
    this.memory = undefined;
    this.tensors.clear();
    this.ledger.remove(before);
    discarded(before);
  }
}
