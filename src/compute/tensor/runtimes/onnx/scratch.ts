/**
 * Intermediates in memory of our own. ONNX Runtime either asks the system for fresh pages in every run, or keeps
 * an arena for each compiled graph; here all graphs share one stretch, as long as the largest needs, which is
 * never given back: no page faults, and a peak that is known beforehand.
 *
 * The intermediates are declared as outputs of the model and fetched into overlapping places. That is valid
 * because the runtime runs nodes one after another in an order that is known (see `tensor/order.ts`).
 */
import type { Tensor } from 'onnxruntime-node';
import { discarded } from '../../garbage.js';
import { planMemory } from '../../liveness.js';
import { viewOf } from '../../memory.js';
import { argument } from '../../ops/definition.js';
import { allocateOnHost } from '../../out-of-memory.js';
import type { Graph, HostTensor, TensorType, ValueId } from '../../types.js';
import { intermediateName } from './encode.js';

export interface ScratchPlan {
  readonly bytes: number;
  readonly places: readonly {
    readonly value: ValueId;
    readonly name: string;
    readonly type: TensorType;
    readonly offset: number;
  }[];
  /** Intermediates in the memory of an output. */
  readonly inOutputs: readonly {
    readonly value: ValueId;
    readonly name: string;
    readonly type: TensorType;
    readonly output: string;
  }[];
}

/** Offsets, in bytes, of the intermediates of at least `smallest` bytes; none where their order is not known. */
export function planScratch(graph: Graph, smallest: number): ScratchPlan {
  // it is lowered to more than one node, whose order is then not that of the graph
  if (graph.nodes.some(({ op }) => op === 'scatterRows')) return { bytes: 0, places: [], inOutputs: [] };
  const { bytes, offsets, inOutputs } = planMemory(graph, smallest);
  const named = (value: ValueId) => ({
    value,
    name: intermediateName(value),
    type: argument(graph.types, value),
  });
  // of a value that is an output twice the first is computed, and copied to the other
  const outputs = new Map([...graph.outputs].reverse().map(({ name, value }) => [value, name]));
  return {
    bytes,
    places: [...offsets].map(([value, offset]) => ({ ...named(value), offset })),
    inOutputs: [...inOutputs].map(([value, output]) => ({
      ...named(value),
      output: outputs.get(output) ?? '',
    })),
  };
}

type Fetches = Readonly<Record<string, Tensor>>;

/** One stretch for all graphs of a runtime, which run one at a time. */
export class Scratch {
  private memory = new ArrayBuffer(0);
  private needed = 0;
  /** Tensors over the stretch; none outlives it, or it could not be collected. */
  private fetches = new Map<ScratchPlan, Fetches>();

  constructor(private readonly wrap: (type: TensorType, data: HostTensor['data']) => Tensor) {}

  /** Graphs tell their need when they are compiled, so that the stretch is allocated once for all of them. */
  reserve(plan: ScratchPlan): void {
    this.needed = Math.max(this.needed, plan.bytes);
  }

  forget(plan: ScratchPlan): void {
    this.fetches.delete(plan);
  }

  tensors(plan: ScratchPlan): Fetches {
    if (this.isShort()) {
      discarded(this.giveUp());
      this.memory = allocateOnHost(this.needed, (size) => new ArrayBuffer(size));
    }
    const known = this.fetches.get(plan);
    if (known !== undefined) return known;
    const fetches: Record<string, Tensor> = {};
    for (const { name, type, offset } of plan.places)
      fetches[name] = this.wrap(type, viewOf(type, this.memory, offset));
    this.fetches.set(plan, fetches);
    return fetches;
  }

  private isShort(): boolean {
    return this.memory.byteLength < this.needed;
  }

  /** Bytes that it had: see `tensor/garbage.ts` for why no other function reads the stretch. */
  private giveUp(): number {
    const before = this.memory.byteLength;
    this.fetches.clear();
    this.memory = new ArrayBuffer(0);
    return before;
  }
}
