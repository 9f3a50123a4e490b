/**
 * TensorFlow.js: each graph is a list of kernels of a backend. Its own gradients are not used, and every tensor is
 * disposed of at its last use.
 */
import { argument } from '../../ops/definition.js';
import { GraphError } from '../../shape.js';
import type { CompiledGraph, Graph, HostTensor, Runtime, TensorType, ValueId } from '../../types.js';
import { type Content, DeviceMemory, type HandleStore } from '../device-memory.js';
import { type Opened, type OpenOptions, openBackend } from './backends.js';
import type { TfjsName } from './installed.js';
import { FORM_KERNEL } from './kernels/names.js';
import { type Values as Numbers, type Tensor, typeNamed } from './library.js';
import { type PackedHandles, Packer } from './packings.js';
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
  const device: Device = {
    name,
    opened,
    upload({ dtype, shape }, data) {
      const type = typeNamed(dtype);
      if (type === undefined) throw new GraphError(`TensorFlow.js has no tensors of ${dtype}`);
      activate(device);
      return engine.makeTensor(data as Numbers, shape, type);
    },
  };
  const packer = packerOf(device);
  const memory = new DeviceMemory(handlesOf(device, packer));
  return {
    name,
    version: opened.core.version_core,
    device: opened.device,
    memory,
    tensors: () => engine.memory().numTensors,
    compile: async (graph) => compiled(device, packer, memory, graph),
  };
}

/** A backend that tensors are made on. */
interface Device {
  readonly name: TfjsName;
  readonly opened: Opened;
  readonly upload: (type: TensorType, data: HostTensor['data']) => Tensor;
}

/** Several backends may be open in a process; what is made is made on the one that is active. */
function activate({ name, opened }: Device): void {
  const engine = opened.core.engine();
  // takes effect before it returns, as the backend is open
  if (engine.backendName !== name) void engine.setBackend(name);
}

/** The memory of the host decodes by itself; a backend of a process has one packer, for the tables that it shares. */
const packers = new WeakMap<Opened, Packer>();

function packerOf({ name, opened, upload }: Device): Packer | undefined {
  if (name !== 'webgpu') return undefined;
  const packer =
    packers.get(opened) ??
    new Packer((values) =>
      upload({ dtype: values instanceof Float32Array ? 'f32' : 'i32', shape: [values.length] }, values),
    );
  packers.set(opened, packer);
  return packer;
}

const handlesOf = ({ opened, upload }: Device, packer: Packer | undefined): HandleStore<Tensor> => ({
  create: upload,
  async read(_, handle) {
    const values = await handle.data();
    opened.check();
    // a backend may give the array that it computes with
    return values.slice();
  },
  delete: (handle) => handle.dispose(),
  pack: (packed) => packer?.pack(packed),
});

/** The values of one run. */
interface Values {
  /** What was computed, and is disposed of when it is read for the last time. */
  readonly made: Map<ValueId, Tensor>;
  /** As a plain tensor; decoded where it is packed. */
  readonly find: (value: ValueId) => Tensor;
  readonly packed: (value: ValueId) => PackedHandles | undefined;
}

/** What a graph needs beside its inputs, made when it is compiled. */
interface Kept {
  readonly constants: ReadonlyMap<ValueId, Tensor>;
  /** A constant of a lowering. */
  readonly scalar: (value: number) => Tensor;
  readonly release: () => void;
}

function keep(graph: Graph, { upload }: Device): Kept {
  const constants = new Map(
    graph.constants.map(({ value, data }) => [value, upload(argument(graph.types, value), data)]),
  );
  const scalars = new Map<number, Tensor>();
  return {
    constants,
    scalar(value) {
      const known = scalars.get(value) ?? upload({ dtype: 'f32', shape: [] }, Float32Array.of(value));
      scalars.set(value, known);
      return known;
    },
    release() {
      for (const tensor of [...constants.values(), ...scalars.values()]) tensor.dispose();
      scalars.clear();
    },
  };
}

function compiled(
  device: Device,
  packer: Packer | undefined,
  memory: DeviceMemory<Tensor>,
  graph: Graph,
): CompiledGraph {
  const { opened, name } = device;
  const engine = opened.core.engine();
  const steps = stepsOf(name, graph);
  const kept = keep(graph, device);
  const typeOf = (value: ValueId): TensorType => argument(graph.types, value);

  /** Runs one step, adds what it gives to the values so far, and disposes of those that it was the last to read. */
  const perform = ({ node, lowering, last, takesPacked }: Step, values: Values) => {
    const temporary = new Set<Tensor>();
    const packed = takesPacked === undefined ? undefined : values.packed(argument(node.inputs, takesPacked));
    try {
      const results = lowering({
        inputs: node.inputs.map((value, index) =>
          packed !== undefined && index === takesPacked ? packed.handles.b : values.find(value),
        ),
        packed: (index) => (index === takesPacked ? packed : undefined),
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
      });
      node.outputs.forEach((value, index) => {
        const result = argument(results, index);
        values.made.set(value, result);
        temporary.delete(result);
      });
    } finally {
      for (const tensor of temporary) tensor.dispose();
    }
    for (const value of last) {
      values.made.get(value)?.dispose();
      values.made.delete(value);
    }
  };

  const valuesOf = (contents: readonly Content<Tensor>[]): Values => {
    const given = new Map(graph.inputs.map(({ value }, index) => [value, argument(contents, index)]));
    const made = new Map<ValueId, Tensor>();
    const packed = (value: ValueId): PackedHandles | undefined => {
      const content = given.get(value);
      return content?.packing === undefined ? undefined : packer?.open(content, typeOf(value).shape);
    };
    return {
      made,
      packed,
      find(value) {
        const found = made.get(value) ?? kept.constants.get(value);
        if (found !== undefined) return found;
        const weight = packed(value);
        if (weight !== undefined) {
          const { form, handles, shape } = weight;
          const decoded = engine.runKernel(FORM_KERNEL.decode, handles, { form, shape });
          made.set(value, decoded);
          return decoded;
        }
        const [handle] = given.get(value)?.handles ?? [];
        if (handle === undefined) throw new GraphError(`value ${value} is read before it is computed`);
        return handle;
      },
    };
  };

  const execute = (contents: readonly Content<Tensor>[]): readonly Tensor[] => {
    const values = valuesOf(contents);
    const { made, find } = values;
    try {
      for (const step of steps) perform(step, values);
      const taken = new Set<ValueId>();
      const results = graph.outputs.map(({ value }) => {
        const found = find(value);
        // an input, a constant, or what is another output already
        if (!made.has(value) || taken.has(value)) return engine.runKernel('Identity', { x: found }, {});
        taken.add(value);
        return found;
      });
      for (const value of taken) made.delete(value);
      return results;
    } finally {
      for (const tensor of made.values()) tensor.dispose();
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
