/** A compiled graph: its steps, what they keep between runs, and the values of one run. */
import { argument } from '../../ops/definition.js';
import { GraphError } from '../../shape.js';
import type { CompiledGraph, Graph, TensorType, ValueId } from '../../types.js';
import type { Content, DeviceMemory } from '../device-memory.js';
import { activate, dispose, type TfjsDevice } from './device.js';
import { type KernelCall, kernelCallsOf } from './kernel-calls.js';
import { FORM_KERNEL } from './kernels/kernel-names.js';
import type { Engine, Tensor } from './library.js';
import { type Packer, plainWeight, type Weight } from './packings.js';
import { bytesOnGpu, type Handle } from './row-ranges.js';
import { tooLargeForGpu } from './webgpu-out-of-memory.js';

/** Where graphs run. */
interface ExecutionContext {
  readonly device: TfjsDevice;
  readonly packer: Packer | undefined;
  readonly memory: DeviceMemory<Handle>;
}

export function compiled(context: ExecutionContext, graph: Graph): CompiledGraph {
  const { device, memory } = context;
  const { name, backend, largest } = device;
  const engine = backend.core.engine();
  const steps = kernelCallsOf(name, graph, largest);
  const kept = new GraphConstants(graph, device);

  const execute = (contents: readonly Content<Handle>[]): readonly Handle[] => {
    const values = new RunValues(context, graph, kept, contents);
    try {
      for (const step of steps) perform(step, values, kept, engine);
      return values.outputs();
    } finally {
      values.dispose();
    }
  };

  return {
    graph,
    run: memory.runs(graph, (contents) => {
      backend.check();
      activate(device);
      return backend.guarded(() => execute(contents));
    }),
    async release() {
      kept.release();
    },
  };
}

/** What a graph needs besides its inputs, made when it is compiled. */
class GraphConstants {
  readonly constants: ReadonlyMap<ValueId, Handle>;
  private readonly scalars = new Map<number, Tensor>();

  constructor(
    graph: Graph,
    private readonly device: TfjsDevice,
  ) {
    this.constants = new Map(
      graph.constants.map(({ value, data }) => [value, device.upload(argument(graph.types, value), data)]),
    );
  }

  /** A constant of a lowering. */
  scalar = (value: number): Tensor => {
    const known = this.scalars.get(value) ?? this.device.make(Float32Array.of(value), [], 'f32');
    this.scalars.set(value, known);
    return known;
  };

  release(): void {
    for (const handle of this.constants.values()) dispose(handle);
    dispose([...this.scalars.values()]);
    this.scalars.clear();
  }
}

/** The values of one run. */
class RunValues {
  /** What was computed, and is disposed of when it is read for the last time. */
  private readonly made = new Map<ValueId, Handle>();
  private readonly given: ReadonlyMap<ValueId, Content<Handle>>;
  private readonly engine: Engine;

  constructor(
    private readonly context: ExecutionContext,
    private readonly graph: Graph,
    private readonly kept: GraphConstants,
    contents: readonly Content<Handle>[],
  ) {
    this.given = new Map(graph.inputs.map(({ value }, index) => [value, argument(contents, index)]));
    this.engine = context.device.backend.core.engine();
  }

  typeOf(value: ValueId): TensorType {
    return argument(this.graph.types, value);
  }

  add(value: ValueId, handle: Handle): void {
    this.made.set(value, handle);
  }

  isMade(value: ValueId): boolean {
    return this.made.has(value);
  }

  /** Dequantised where it is packed. */
  find(value: ValueId): Handle {
    const found = this.made.get(value) ?? this.kept.constants.get(value);
    if (found !== undefined) return found;
    const weight = this.packed(value);
    if (weight !== undefined) {
      const dequantised = this.dequantised(weight);
      this.add(value, dequantised);
      return dequantised;
    }
    const [handle] = this.given.get(value)?.handles ?? [];
    if (handle === undefined) throw new GraphError(`value ${value} is read before it is computed`);
    return handle;
  }

  /** In the form that it lies in. */
  weight(value: ValueId): Weight {
    const packed = this.isMade(value) ? undefined : this.packed(value);
    return packed ?? plainWeight(this.typeOf(value).shape, this.find(value), this.context.device.largest);
  }

  /** What was computed of it is needed no more. */
  drop(value: ValueId): void {
    dispose(this.made.get(value) ?? []);
    this.made.delete(value);
  }

  /** Handles of the graph's outputs, which are the caller's to dispose of. */
  outputs(): readonly Handle[] {
    const taken = new Set<ValueId>();
    const results = this.graph.outputs.map(({ value }) => {
      const found = this.find(value);
      // an input, a constant, or what is another output already
      if (!this.isMade(value) || taken.has(value))
        return found.map((x) => this.engine.runKernel('Identity', { x }, {}));
      taken.add(value);
      return found;
    });
    for (const value of taken) this.made.delete(value);
    return results;
  }

  dispose(): void {
    for (const handle of this.made.values()) dispose(handle);
  }

  private packed(value: ValueId): Weight | undefined {
    const { packer, device } = this.context;
    const content = this.given.get(value);
    if (content?.packing === undefined) return undefined;
    return packer?.open(content, this.typeOf(value).shape, device.largest);
  }

  private dequantised({ form, parts, shape }: Weight): Handle {
    const [part, ...others] = parts;
    if (part === undefined || others.length > 0)
      throw tooLargeForGpu(bytesOnGpu(shape), this.context.device.largest);
    return [this.engine.runKernel(FORM_KERNEL.dequantise, part.handles, { form, shape })];
  }
}

/** Runs one step, adds what it gives to the values so far, and drops those that it was the last to read. */
function perform(
  { node, lower, last, takesPacked }: KernelCall,
  values: RunValues,
  kept: GraphConstants,
  engine: Engine,
): void {
  const temporary = new Set<Tensor>();
  const weight = takesPacked === undefined ? undefined : values.weight(argument(node.inputs, takesPacked));
  const handles = node.inputs.map((value, index) =>
    index === takesPacked && weight !== undefined
      ? weight.parts.map(({ handles: { b } }) => b)
      : values.find(value),
  );
  try {
    const results = lower(
      {
        inputs: handles.map(([first]) => first as Tensor),
        weight(index) {
          if (weight === undefined || index !== takesPacked)
            throw new GraphError(`input ${index} is not a weight`);
          return weight;
        },
        inputTypes: node.inputs.map((value) => values.typeOf(value)),
        outputTypes: node.outputs.map((value) => values.typeOf(value)),
        attributes: node.attributes,
        mayOverwrite(index) {
          const value = argument(node.inputs, index);
          return last.includes(value) && values.isMade(value);
        },
        kernel(kernel, operands, attributes = {}) {
          const result = engine.runKernel(kernel, operands, attributes);
          temporary.add(result);
          return result;
        },
        scalar: kept.scalar,
      },
      handles,
    );
    node.outputs.forEach((value, index) => {
      const result = argument(results, index);
      values.add(value, result);
      for (const part of result) temporary.delete(part);
    });
  } finally {
    for (const tensor of temporary) tensor.dispose();
  }
  for (const value of last) values.drop(value);
}
