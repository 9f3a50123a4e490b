/** TensorFlow, through the native binding of TensorFlow.js: each graph is a function of its eager context. */
import type { CompiledGraph, Graph, HostTensor, Runtime, TensorType } from '../../types.js';
import { DeviceMemory, type HandleStore } from '../device-memory.js';
import { viewOf } from '../host-tensor.js';
import { type Binding, loadBinding } from './binding.js';
import { encode } from './encode.js';
import { DATA_TYPE } from './messages.js';

export { encode } from './encode.js';

export interface TensorFlowOptions {
  /** Absolute path of the binding, `tfjs_binding.node`. */
  readonly binding: string;
  /** Threads inside one op, for all of the process; one a core where left out. */
  readonly threads?: number;
}

export interface TensorFlowRuntime extends Runtime {
  /** Handles that the library holds now. */
  readonly handles: () => number;
}

/** Throws what the system says where the binding does not load. */
export async function tensorflowRuntime(options: TensorFlowOptions): Promise<TensorFlowRuntime> {
  const binding = loadBinding(options.binding, options.threads);
  const memory = new DeviceMemory(handlesOf(binding));
  return {
    name: 'tensorflow',
    version: binding.TF_Version,
    device: binding.isUsingGpuDevice() ? 'GPU' : 'CPU',
    memory,
    handles: () => binding.getNumOfTensors(),
    compile: async (graph) => compiled(binding, memory, graph),
  };
}

const handlesOf = (binding: Binding): HandleStore<number> => ({
  create: ({ dtype, shape }, data) => binding.createTensor(shape, DATA_TYPE[dtype], elementsOf(data)),
  read: async (type, handle) => valuesOf(type, binding.tensorDataSync(handle)),
  delete: (handle) => binding.deleteTensor(handle),
});

/** The binding takes int64 as pairs of int32. */
const elementsOf = (data: HostTensor['data']): ArrayBufferView =>
  data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length) : data;

const valuesOf = (type: TensorType, { buffer, byteOffset }: ArrayBufferView): HostTensor['data'] =>
  viewOf(type, buffer, byteOffset);

/** Functions of all runtimes of the process, which share its context. */
let functions = 0;

function compiled(binding: Binding, memory: DeviceMemory<number>, graph: Graph): CompiledGraph {
  const name = `ftpc_${functions++}`;
  binding.defineFunction(encode(graph, name));
  return {
    graph,
    run: memory.runs(graph, (inputs) =>
      binding.executeOp(name, [], inputs, graph.outputs.length).map(({ id }) => id),
    ),
    async release() {
      binding.removeFunction(name);
    },
  };
}
