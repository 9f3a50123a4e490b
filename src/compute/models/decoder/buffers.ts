/**
 * Memory that is used by every step: one buffer a role, as long as its largest use. Fresh pages cost more than the
 * arithmetic that fills them, so nothing is allocated within a step where the runtime computes on the host.
 */
import { hostMemory } from '../../tensor/memory.js';
import { f32 } from '../../tensor/shape.js';
import type { HostTensor, Memory, Tensor, TensorBuffer, TensorType } from '../../tensor/types.js';

/** Buffers in the memory of a runtime. */
export class Buffers {
  private readonly byRole = new Map<string, TensorBuffer>();

  constructor(private readonly memory: Memory) {}

  /** A tensor of undefined content; another request for the same role may overlap it. */
  tensor(role: string, type: TensorType): Tensor {
    const buffer = this.byRole.get(role) ?? this.memory.buffer();
    this.byRole.set(role, buffer);
    return buffer.tensor(type);
  }

  floats(role: string, shape: readonly number[]): Tensor {
    return this.tensor(role, f32(shape));
  }

  clear(): void {
    for (const buffer of this.byRole.values()) buffer.release();
    this.byRole.clear();
  }
}

export type HostFloats = HostTensor & { readonly data: Float32Array };

/** Buffers of the host, for what crosses: labels, losses. */
export class HostBuffers {
  private readonly buffers = new Buffers(hostMemory());

  tensor(role: string, type: TensorType): HostTensor {
    return this.buffers.tensor(role, type) as HostTensor;
  }

  floats(role: string, shape: readonly number[]): HostFloats {
    return this.tensor(role, f32(shape)) as HostFloats;
  }

  clear(): void {
    this.buffers.clear();
  }
}
