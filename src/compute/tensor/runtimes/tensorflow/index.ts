/** TensorFlow, through the native binding of TensorFlow.js: each graph is a function of its eager context. */

import { viewOf } from '../../memory.js';
import { argument } from '../../ops/definition.js';
import type { CompiledGraph, Graph, HostTensor, Runtime, TensorType } from '../../types.js';
import { DeviceMemory, type HandleStore } from '../device-memory.js';
import { type Binding, loadBinding } from './binding.js';
import { encode } from './encode.js';
import { DATA_TYPE } from './messages.js';
import { translating } from './out-of-memory.js';
import { isPacking, PACKINGS, Packer, type PackingName } from './packings.js';
import { COMPILED_FROM, isWorthCompiling, PLAIN, suffixOf, type Variant } from './variants.js';
import { workingBytes } from './working-bytes.js';

interface TensorFlowOptions {
  /** Absolute path of the binding, `tfjs_binding.node`. */
  readonly binding: string;
  /** Threads inside one op, for all of the process; default: one per core. */
  readonly threads?: number;
  /** Bytes that tensors may take, with what graphs need while they run; default: as many as there are. */
  readonly memory?: number;
  /** How graphs are computed; default: {@link PLAIN}. */
  readonly variant?: Variant;
  /** Operations of a run from which on XLA compiles a graph; default: {@link COMPILED_FROM}. */
  readonly compiledFrom?: number;
}

interface TensorFlowRuntime extends Runtime {
  /** Handles that the library holds now. */
  readonly handles: () => number;
}

/** Throws what the system says if the binding does not load. */
export async function tensorflowRuntime(options: TensorFlowOptions): Promise<TensorFlowRuntime> {
  const { variant = PLAIN, compiledFrom = COMPILED_FROM } = options;
  const binding = loadBinding(options.binding, options.threads);
  const packer = packerOf(binding);
  const memory = new DeviceMemory('tensorflow', handlesOf(binding, packer), options.memory);
  return {
    name: 'tensorflow',
    version: `${binding.TF_Version}${suffixOf(variant)}`,
    device: binding.isUsingGpuDevice() ? 'GPU' : 'CPU',
    memory,
    handles: () => binding.getNumOfTensors(),
    compile: async (graph) => {
      const xla = variant.xla && isWorthCompiling(graph, compiledFrom);
      return compiled(binding, packer, memory, graph, { ...variant, xla });
    },
  };
}

/** One of a process, whose runtimes share its tables. */
const packers = new WeakMap<Binding, Packer>();

function packerOf(binding: Binding): Packer {
  const packer = packers.get(binding) ?? new Packer(binding);
  packers.set(binding, packer);
  return packer;
}

const handlesOf = (binding: Binding, packer: Packer): HandleStore<number> => ({
  create: ({ dtype, shape }, data) =>
    translating(binding, () => binding.createTensor(shape, DATA_TYPE[dtype], elementsOf(data))),
  read: async (type, handle) =>
    valuesOf(
      type,
      translating(binding, () => binding.tensorDataSync(handle)),
    ),
  delete: (handle) => binding.deleteTensor(handle),
  zerosLike: ({ dtype }, handle) =>
    translating(binding, () => {
      const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: DATA_TYPE[dtype] };
      return argument(binding.executeOp('ZerosLike', [type], [handle], 1), 0).id;
    }),
  pack: (packed) => translating(binding, () => packer.pack(packed)),
});

/** The binding takes int64 as pairs of int32. */
const elementsOf = (data: HostTensor['data']): ArrayBufferView =>
  data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length) : data;

const valuesOf = (type: TensorType, { buffer, byteOffset }: ArrayBufferView): HostTensor['data'] =>
  viewOf(type, buffer, byteOffset);

/** Functions of all runtimes of the process, which share its context. */
let functions = 0;

/** A function for each way in which the graph's inputs are packed. */
function compiled(
  binding: Binding,
  packer: Packer,
  memory: DeviceMemory<number>,
  graph: Graph,
  variant: Variant,
): CompiledGraph {
  const names = new Map<string, string>();
  const functionFor = (packings: readonly (PackingName | undefined)[]): string => {
    const key = packings.join();
    const known = names.get(key);
    if (known !== undefined) return known;
    const name = `ftpc_${functions++}`;
    translating(binding, () => binding.defineFunction(encode(graph, name, packings, variant)));
    names.set(key, name);
    return name;
  };
  functionFor(graph.inputs.map(() => undefined));
  return {
    graph,
    run: memory.runs(
      graph,
      (inputs) => {
        const packings = inputs.map(({ packing }) => packingOf(packing));
        const handles = inputs.flatMap((input) => input.handles);
        const isCoded = packings.some((packing) => packing !== undefined && PACKINGS[packing].coded);
        const inputHandles = isCoded ? [...handles, ...packer.tables] : handles;
        const name = functionFor(packings);
        return translating(binding, () =>
          binding.executeOp(name, [], inputHandles, graph.outputs.length),
        ).map(({ id }) => id);
      },
      workingBytes,
    ),
    async release() {
      for (const name of names.values()) binding.removeFunction(name);
    },
  };
}

const packingOf = (name: string | undefined): PackingName | undefined =>
  name !== undefined && isPacking(name) ? name : undefined;
