/**
 * TensorFlow.js: each graph is a list of kernels of a backend. Its own gradients are not used, and every tensor is
 * disposed of at its last use.
 */
import { tensorTooLarge } from '../../../diagnostics/catalogue/runtimes.js';
import { UserError } from '../../../diagnostics/types.js';
import { argument } from '../../ops/definition.js';
import { GraphError, type Shape } from '../../shape.js';
import type { CompiledGraph, DType, Graph, HostTensor, Runtime, TensorType, ValueId } from '../../types.js';
import { type Content, DeviceMemory, type HandleStore } from '../device-memory.js';
import { allocate } from '../host-tensor.js';
import { type Opened, type OpenOptions, openBackend } from './backends.js';
import type { TfjsName } from './installed.js';
import { FORM_KERNEL } from './kernels/names.js';
import { type Values as Numbers, type Tensor, typeNamed } from './library.js';
import { Packer, plainWeight, type Weight } from './packings.js';
import { bytesOnGpu, elementsOf, type Handle, runsOfShape, shapeOfRun } from './parts.js';
import { type Step, stepsOf } from './steps.js';

export interface TfjsOptions extends OpenOptions {
  readonly name: TfjsName;
  /** Folder of the installation. */
  readonly folder: string;
}

export interface TfjsRuntime extends Runtime {
  /** Tensors that the library holds now. */
  readonly tensors: () => number;
}

/** Throws what the library says where it does not load, and a `UserError` where there is no device. */
export async function tfjsRuntime({ name, folder, ...options }: TfjsOptions): Promise<TfjsRuntime> {
  const opened = await openBackend(name, folder, options);
  const engine = opened.core.engine();
  const largest = Math.min(opened.largest, options.largest ?? opened.largest);
  const make: Device['make'] = (values, shape, type) => {
    const dtype = typeNamed(type);
    if (dtype === undefined) throw new GraphError(`TensorFlow.js has no tensors of ${type}`);
    activate(device);
    return engine.makeTensor(values as Numbers, shape, dtype);
  };
  const device: Device = {
    name,
    opened,
    largest,
    make,
    upload: ({ dtype, shape }, data) =>
      runsOfShape(shape, largest).map((run) =>
        make((data as Numbers).subarray(...elementsOf(shape, run)), shapeOfRun(shape, run), dtype),
      ),
  };
  const packer = packerOf(device);
  const memory = new DeviceMemory(handlesOf(device, packer));
  return {
    name,
    version: opened.core.version_core,
    device: opened.device,
    ...(opened.driver && { driver: opened.driver }),
    memory,
    largestTensor: largest,
    tensors: () => engine.memory().numTensors,
    compile: async (graph) => compiled(device, packer, memory, graph),
  };
}

/** A backend that tensors are made on. */
interface Device {
  readonly name: TfjsName;
  readonly opened: Opened;
  /** Bytes of a tensor that is in one piece. */
  readonly largest: number;
  readonly make: (values: HostTensor['data'], shape: Shape, type: DType) => Tensor;
  /** In parts, where it is larger. */
  readonly upload: (type: TensorType, data: HostTensor['data']) => Handle;
}

/** Several backends may be open in a process; what is made is made on the one that is active. */
function activate({ name, opened, largest }: Device): void {
  const engine = opened.core.engine();
  opened.allow(largest);
  // takes effect before it returns, as the backend is open
  if (engine.backendName !== name) void engine.setBackend(name);
}

/** The memory of the host decodes by itself; a backend of a process has one packer, for the tables that it shares. */
const packers = new WeakMap<Opened, Packer>();

function packerOf({ name, opened, make }: Device): Packer | undefined {
  if (name !== 'webgpu') return undefined;
  const packer =
    packers.get(opened) ??
    new Packer((values) => make(values, [values.length], values instanceof Float32Array ? 'f32' : 'i32'));
  packers.set(opened, packer);
  return packer;
}

const handlesOf = ({ opened, upload, largest }: Device, packer: Packer | undefined): HandleStore<Handle> => ({
  create: upload,
  async read({ dtype, shape }, handle) {
    const parts = await Promise.all(handle.map((part) => opened.read(part)));
    const [first] = parts;
    if (first === undefined) throw new GraphError('a tensor without parts');
    // a backend may give the array that it computes with
    if (parts.length === 1) return first.slice();
    const data = allocate({ dtype, shape }) as Numbers;
    parts.reduce((at, part) => {
      data.set(part, at);
      return at + part.length;
    }, 0);
    return data;
  },
  delete: dispose,
  pack: (packed) => packer?.pack(packed, largest),
});

function dispose(handle: Handle): void {
  for (const tensor of handle) tensor.dispose();
}

/** The values of one run. */
interface Values {
  /** What was computed, and is disposed of when it is read for the last time. */
  readonly made: Map<ValueId, Handle>;
  /** Decoded where it is packed. */
  readonly find: (value: ValueId) => Handle;
  /** In the form that it lies in. */
  readonly weight: (value: ValueId) => Weight;
}

/** What a graph needs beside its inputs, made when it is compiled. */
interface Kept {
  readonly constants: ReadonlyMap<ValueId, Handle>;
  /** A constant of a lowering. */
  readonly scalar: (value: number) => Tensor;
  readonly release: () => void;
}

function keep(graph: Graph, { upload, make }: Device): Kept {
  const constants = new Map(
    graph.constants.map(({ value, data }) => [value, upload(argument(graph.types, value), data)]),
  );
  const scalars = new Map<number, Tensor>();
  return {
    constants,
    scalar(value) {
      const known = scalars.get(value) ?? make(Float32Array.of(value), [], 'f32');
      scalars.set(value, known);
      return known;
    },
    release() {
      for (const handle of constants.values()) dispose(handle);
      dispose([...scalars.values()]);
      scalars.clear();
    },
  };
}

function compiled(
  device: Device,
  packer: Packer | undefined,
  memory: DeviceMemory<Handle>,
  graph: Graph,
): CompiledGraph {
  const { opened, name, largest } = device;
  const engine = opened.core.engine();
  const steps = stepsOf(name, graph, largest);
  const kept = keep(graph, device);
  const typeOf = (value: ValueId): TensorType => argument(graph.types, value);

  /** Runs one step, adds what it gives to the values so far, and disposes of those that it was the last to read. */
  const perform = ({ node, lower, last, takesPacked }: Step, values: Values) => {
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
              throw new GraphError(`input ${index} is no weight`);
            return weight;
          },
          inputTypes: node.inputs.map(typeOf),
          outputTypes: node.outputs.map(typeOf),
          attributes: node.attributes,
          mayOverwrite(index) {
            const value = argument(node.inputs, index);
            return last.includes(value) && values.made.has(value);
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
        values.made.set(value, result);
        for (const part of result) temporary.delete(part);
      });
    } finally {
      for (const tensor of temporary) tensor.dispose();
    }
    for (const value of last) {
      dispose(values.made.get(value) ?? []);
      values.made.delete(value);
    }
  };

  const valuesOf = (contents: readonly Content<Handle>[]): Values => {
    const given = new Map(graph.inputs.map(({ value }, index) => [value, argument(contents, index)]));
    const made = new Map<ValueId, Handle>();
    const packed = (value: ValueId): Weight | undefined => {
      const content = given.get(value);
      return content?.packing === undefined ? undefined : packer?.open(content, typeOf(value).shape, largest);
    };
    const find = (value: ValueId): Handle => {
      const found = made.get(value) ?? kept.constants.get(value);
      if (found !== undefined) return found;
      const weight = packed(value);
      if (weight !== undefined) {
        const { form, parts, shape } = weight;
        const [part, ...others] = parts;
        if (part === undefined || others.length > 0)
          throw new UserError(tensorTooLarge(bytesOnGpu(shape), largest));
        const decoded = [engine.runKernel(FORM_KERNEL.decode, part.handles, { form, shape })];
        made.set(value, decoded);
        return decoded;
      }
      const [handle] = given.get(value)?.handles ?? [];
      if (handle === undefined) throw new GraphError(`value ${value} is read before it is computed`);
      return handle;
    };
    return {
      made,
      find,
      weight(value) {
        const { shape } = typeOf(value);
        return (made.has(value) ? undefined : packed(value)) ?? plainWeight(shape, find(value), largest);
      },
    };
  };

  const execute = (contents: readonly Content<Handle>[]): readonly Handle[] => {
    const values = valuesOf(contents);
    const { made, find } = values;
    try {
      for (const step of steps) perform(step, values);
      const taken = new Set<ValueId>();
      const results = graph.outputs.map(({ value }) => {
        const found = find(value);
        // an input, a constant, or what is another output already
        if (!made.has(value) || taken.has(value))
          return found.map((x) => engine.runKernel('Identity', { x }, {}));
        taken.add(value);
        return found;
      });
      for (const value of taken) made.delete(value);
      return results;
    } finally {
      for (const handle of made.values()) dispose(handle);
    }
  };

  return {
    graph,
    run: memory.runs(graph, (contents) => {
      opened.check();
      activate(device);
      return opened.guarded(() => execute(contents));
    }),
    async release() {
      kept.release();
    },
  };
}
