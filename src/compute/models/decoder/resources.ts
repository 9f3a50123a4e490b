import { hostMemory } from '../../tensor/memory.js';
import { f32 } from '../../tensor/shape.js';
import type {
  CompiledGraph,
  Graph,
  HostTensor,
  Memory,
  Runtime,
  Tensor,
  TensorBuffer,
  TensorType,
} from '../../tensor/types.js';
import type { GraphOptions } from './graphs.js';
import type { HostFloats, Parameters } from './parameters.js';
import type { DecoderOptions } from './types.js';

/** Compiled graphs: as many as one step of training and one session mostly use. */
export const MOST_COMPILED = 64;

/** Compiled graphs by the key of their shape; beyond {@link MOST_COMPILED} the one used longest ago is released. */
export class CompiledGraphs {
  private readonly known = new Map<string, Promise<CompiledGraph>>();
  /** Asked for since {@link begin}. */
  private readonly inUse = new Set<string>();

  constructor(readonly runtime: Runtime) {}

  /** What is asked for from now on stays until the next call, however much it is: a step asks for all before it runs any. */
  begin(): void {
    this.inUse.clear();
  }

  async get(key: string, build: () => Graph): Promise<CompiledGraph> {
    // the promise is kept, so that layers which ask at the same time share one graph
    const known = this.known.get(key);
    const compiled = known ?? this.runtime.compile(build());
    // a map keeps the order of insertion: what was used last goes to the end
    this.known.delete(key);
    this.known.set(key, compiled);
    this.inUse.add(key);
    if (known !== undefined) return compiled;
    for (const [oldest, graph] of this.known) {
      if (this.known.size <= MOST_COMPILED || this.inUse.has(oldest)) break;
      this.known.delete(oldest);
      await (await graph).release();
    }
    return compiled;
  }

  async release(): Promise<void> {
    for (const graph of this.known.values()) await (await graph).release();
    this.known.clear();
  }
}

/**
 * Memory of a runtime that is used by every step: one buffer a role, as long as its largest use. Fresh pages cost more than
 * the arithmetic that fills them, so nothing is allocated within a step where the runtime computes on the host.
 */
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

/** Buffers of the host, for what crosses: labels, losses. */
export class HostBuffers extends Buffers {
  constructor() {
    super(hostMemory());
  }

  override tensor(role: string, type: TensorType): HostTensor {
    return super.tensor(role, type) as HostTensor;
  }

  override floats(role: string, shape: readonly number[]): HostFloats {
    return super.floats(role, shape) as HostFloats;
  }
}

/** What all of a decoder shares: its options, its memory, its compiled graphs, and what it trains. */
export interface DecoderResources {
  readonly options: DecoderOptions;
  readonly graphs: GraphOptions;
  readonly compiled: CompiledGraphs;
  /** In the memory of the runtime. */
  readonly buffers: Buffers;
  readonly host: HostBuffers;
  readonly parameters: Parameters;
}
