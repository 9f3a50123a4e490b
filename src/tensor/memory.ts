/**
 * The memory for tensors that outlive a run of a graph. A runtime that computes in host memory uses arrays directly, at no
 * cost; one with a device keeps tensors there, and only `write` and `read` move data between host and device.
 */
import { discarded } from './garbage.js';
import type { Packed } from './packed.js';
import { viewOf } from './runtimes/host-tensor.js';
import { bytesOf, GraphError } from './shape.js';
import type { HostTensor, Tensor, TensorType } from './types.js';

/** What a memory holds; bytes as its tensors occupy there. */
export interface Account {
  readonly tensors: number;
  readonly bytes: number;
  /** The most bytes held at one time so far. */
  readonly peak: number;
}

/**
 * Reusable memory for one tensor at a time: the next tensor may overwrite it. Asking again for the same type returns the
 * same object.
 */
export interface Room {
  /** Its content is undefined until it is written or is the output of a run. */
  tensor(type: TensorType): Tensor;
  release(): void;
}

type Data = HostTensor['data'];

export interface Memory {
  /** Whether this is host memory: tensors are then {@link HostTensor}s, and neither `hold` nor `read` copies. */
  readonly isHost: boolean;
  room(): Room;
  /** A tensor with these values, which stay until {@link free}. */
  hold(tensor: HostTensor): Tensor;
  /** The same for values in a packed form, which stay packed; `undefined` if this memory does not support the form. */
  holdPacked(packed: Packed): Tensor | undefined;
  free(tensor: Tensor): void;
  /** Replaces the content of tensors: `fill` gets arrays with undefined content and has to write every element. */
  write(tensors: readonly Tensor[], fill: (...data: readonly Data[]) => void): void;
  /** Makes all elements zero. */
  zero(tensor: Tensor): void;
  /** The content; valid until the tensor is written again. */
  read(tensor: Tensor): Promise<HostTensor>;
  readonly account: Account;
}

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

/** Host memory. Its account covers rooms only: held tensors belong to the caller. */
export function hostMemory(): Memory {
  const account = new Ledger();
  return {
    isHost: true,
    account,
    room: () => new Stretch(account),
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
class Stretch implements Room {
  #memory: ArrayBuffer | undefined;
  /** Views of it, by type and shape. */
  readonly #tensors = new Map<string, HostTensor>();

  constructor(private readonly ledger: Ledger) {}

  tensor(type: TensorType): Tensor {
    const bytes = bytesOf(type);
    if (this.#memory === undefined || this.#memory.byteLength < bytes) {
      this.release();
      this.#memory = new ArrayBuffer(bytes);
      this.ledger.add(bytes);
    }
    const key = `${type.dtype}[${type.shape.join()}]`;
    const known = this.#tensors.get(key);
    if (known !== undefined) return known;
    const tensor = { type, data: viewOf(type, this.#memory) };
    this.#tensors.set(key, tensor);
    return tensor;
  }

  release(): void {
    if (this.#memory === undefined) return;
    const before = this.#memory.byteLength;
    this.#memory = undefined;
    this.#tensors.clear();
    this.ledger.remove(before);
    discarded(before);
  }
}
