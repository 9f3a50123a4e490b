/**
 * Where tensors lie between the runs of graphs. A runtime that computes in the memory of the host takes arrays as they
 * are, and nothing of this costs anything; one with a device of its own keeps tensors there, and only what is written
 * and read here crosses.
 */
import { discarded } from './garbage.js';
import type { Packed } from './packed.js';
import { viewOf } from './runtimes/host-tensor.js';
import { bytesOf, GraphError } from './shape.js';
import type { HostTensor, Tensor, TensorType } from './types.js';

/** What a memory holds, in bytes of what its tensors take there. */
export interface Account {
  readonly tensors: number;
  readonly bytes: number;
  /** Most bytes at one time so far. */
  readonly peak: number;
}

/**
 * Room for one tensor at a time: what is put there next may lie over it. A request for the type that was asked for last
 * gives the same object.
 */
export interface Room {
  /** Of undefined content until it is written, or is an output of a run. */
  tensor(type: TensorType): Tensor;
  release(): void;
}

type Data = HostTensor['data'];

export interface Memory {
  /** Whether it is that of the host: tensors are then {@link HostTensor}s, and neither `hold` nor `read` copies. */
  readonly isHost: boolean;
  room(): Room;
  /** A tensor of these values, which do not change until it is let go of with {@link free}. */
  hold(tensor: HostTensor): Tensor;
  /** The same for values in a packed form, which stay packed; nothing where this memory does not take the form. */
  holdPacked(packed: Packed): Tensor | undefined;
  free(tensor: Tensor): void;
  /** Replaces the content of tensors; `fill` writes all of it into arrays whose content is undefined. */
  write(tensors: readonly Tensor[], fill: (...data: readonly Data[]) => void): void;
  /** The content, to be read until the tensor is written again. */
  read(tensor: Tensor): Promise<HostTensor>;
  readonly account: Account;
}

/** Narrows to a tensor of the host. Throws a {@link GraphError} for one of a device. */
export function onHost(tensor: Tensor): HostTensor {
  if (tensor.data === undefined) throw new GraphError('a tensor of a device where one of the host is needed');
  return tensor;
}

/** Counts what comes and goes. */
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

/** The memory of the host. Its account has the rooms; what is held belongs to somebody else. */
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
    read: async (tensor) => onHost(tensor),
  };
}

/** One buffer, as long as the largest tensor that lay there. */
class Stretch implements Room {
  #memory: ArrayBuffer | undefined;
  /** Tensors over it, by type and shape. */
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
