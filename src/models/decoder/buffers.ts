/**
 * Memory that is allocated once and used by every step: one stretch a role, as long as its largest use.
 * Fresh pages cost more than the arithmetic that fills them, so nothing is allocated within a step.
 */
import { discarded } from '../../tensor/garbage.js';
import { bytesOf } from '../../tensor/shape.js';
import type { HostTensor, TensorType } from '../../tensor/types.js';

interface Stretch {
  readonly memory: ArrayBuffer;
  /** Tensors over it, by type and shape: the same request gives the same object. */
  readonly tensors: Map<string, HostTensor>;
}

export class Buffers {
  readonly #stretches = new Map<string, Stretch>();

  /** A tensor of undefined content; another request for the same role may overlap it. */
  tensor(role: string, type: TensorType): HostTensor {
    const bytes = bytesOf(type);
    let stretch = this.#stretches.get(role);
    if (stretch === undefined || stretch.memory.byteLength < bytes) {
      const before = stretch?.memory.byteLength ?? 0;
      stretch = undefined;
      this.#stretches.delete(role);
      discarded(before);
      stretch = { memory: new ArrayBuffer(bytes), tensors: new Map() };
      this.#stretches.set(role, stretch);
    }
    const key = `${type.dtype}[${type.shape.join()}]`;
    const known = stretch.tensors.get(key);
    if (known !== undefined) return known;
    const tensor = { type, data: view(type, stretch.memory, bytes) };
    stretch.tensors.set(key, tensor);
    return tensor;
  }

  floats(role: string, shape: readonly number[]): HostTensor & { readonly data: Float32Array } {
    return this.tensor(role, { dtype: 'f32', shape }) as HostTensor & { readonly data: Float32Array };
  }

  clear(): void {
    this.#stretches.clear();
  }
}

function view(type: TensorType, memory: ArrayBuffer, bytes: number): HostTensor['data'] {
  if (type.dtype === 'f32') return new Float32Array(memory, 0, bytes / 4);
  if (type.dtype === 'i32') return new Int32Array(memory, 0, bytes / 4);
  if (type.dtype === 'i64') return new BigInt64Array(memory, 0, bytes / 8);
  return new Uint8Array(memory, 0, bytes);
}
