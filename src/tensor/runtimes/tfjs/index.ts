/**
 * TensorFlow.js: each graph is a list of kernels of a backend. Its own gradients are not used, and every tensor is
 * disposed of at its last use.
 */
import { argument } from '../../ops/definition.js';
import { isOp } from '../../ops/index.js';
import { arrange, executionOrder } from '../../order.js';
import { GraphError } from '../../shape.js';
import type { CompiledGraph, Graph, HostTensor, Node, Runtime, TensorType, ValueId } from '../../types.js';
import { DeviceMemory, type HandleStore } from '../device-memory.js';
import { type Opened, type OpenOptions, openBackend } from './backends.js';
import type { TfjsName } from './installed.js';
import { type Tensor, typeNamed, type Values } from './library.js';
import { type Lowering, loweringOf } from './lowerings.js';

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
      return engine.makeTensor(data as Values, shape, type);
    },
  };
  const memory = new DeviceMemory(handlesOf(device));
  return {
    name,
    version: opened.core.version_core,
    device: opened.device,
    memory,
    tensors: () => engine.memory().numTensors,
    compile: async (graph) => compiled(device, memory, graph),
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

const handlesOf = ({ opened, upload }: Device): HandleStore<Tensor> => ({
  create: upload,
  async read(_, handle) {
    const values = await handle.data();
    opened.check();
    // a backend may give the array that it computes with
    return values.slice();
  },
  delete: (handle) => handle.dispose(),
});

interface Step {
  readonly node: Node;
  readonly lowering: Lowering;
  /** Values that nothing reads after this step. */
  readonly last: readonly ValueId[];
}

/** The nodes in the order that the memory plan counts on. */
function stepsOf(name: TfjsName, graph: Graph): readonly Step[] {
  const order = executionOrder<ValueId, Node>(arrange<ValueId, Node>(graph.nodes));
  const kept = new Set([
    ...graph.outputs.map(({ value }) => value),
    ...graph.constants.map(({ value }) => value),
  ]);
  const readers = new Map<ValueId, number>();
  order.forEach(({ inputs, outputs }, step) => {
    for (const value of [...outputs, ...inputs]) readers.set(value, step);
  });
  return order.map((node, step) => {
    if (!isOp(node.op)) throw new GraphError(`${node.op} is no known op`);
    const touched = new Set([...node.inputs, ...node.outputs]);
    const last = [...touched].filter((value) => readers.get(value) === step && !kept.has(value));
    return { node, lowering: loweringOf(name, node.op), last };
  });
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

function compiled(device: Device, memory: DeviceMemory<Tensor>, graph: Graph): CompiledGraph {
  const { opened, name } = device;
  const engine = opened.core.engine();
  const steps = stepsOf(name, graph);
  const kept = keep(graph, device);
  const typeOf = (value: ValueId): TensorType => argument(graph.types, value);

  /** Runs one step, adds what it gives to the values so far, and disposes of those that it was the last to read. */
  const perform = (
    { node, lowering, last }: Step,
    made: Map<ValueId, Tensor>,
    find: (value: ValueId) => Tensor,
  ) => {
    const temporary = new Set<Tensor>();
    try {
      const results = lowering({
        inputs: node.inputs.map(find),
        inputTypes: node.inputs.map(typeOf),
        outputTypes: node.outputs.map(typeOf),
        attributes: node.attributes,
        kernel(kernel, operands, attributes = {}) {
          const result = engine.runKernel(kernel, operands, attributes);
          temporary.add(result);
          return result;
        },
        scalar: kept.scalar,
      });
      node.outputs.forEach((value, index) => {
        const result = argument(results, index);
        made.set(value, result);
        temporary.delete(result);
      });
    } finally {
      for (const tensor of temporary) tensor.dispose();
    }
    for (const value of last) {
      made.get(value)?.dispose();
      made.delete(value);
    }
  };

  const execute = (handles: readonly Tensor[]): readonly Tensor[] => {
    const given = new Map(graph.inputs.map(({ value }, index) => [value, argument(handles, index)]));
    const made = new Map<ValueId, Tensor>();
    const find = (value: ValueId): Tensor => {
      const found = made.get(value) ?? given.get(value) ?? kept.constants.get(value);
      if (found === undefined) throw new GraphError(`value ${value} is read before it is computed`);
      return found;
    };
    try {
      for (const step of steps) perform(step, made, find);
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
      return opened.guarded(() => execute(contents.map(({ handles }) => argument(handles, 0))));
    }),
    async release() {
      kept.release();
    },
  };
}
