/** TensorFlow, through the native binding of TensorFlow.js: each graph is a SavedModel with one function. */
import { discarded } from '../../garbage.js';
import { bytesOf, GraphError } from '../../shape.js';
import type { CompiledGraph, Graph, HostTensor, Runtime, TensorType } from '../../types.js';
import { allocate } from '../host-tensor.js';
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
  /** Tensors that it holds now: none between two runs. */
  readonly handles: () => number;
}

/** Throws what the system says where the binding does not load. */
export async function tensorflowRuntime(options: TensorFlowOptions): Promise<TensorFlowRuntime> {
  const binding = loadBinding(options.binding, options.threads);
  return {
    name: 'tensorflow',
    version: binding.TF_Version,
    device: binding.isUsingGpuDevice() ? 'GPU' : 'CPU',
    handles: () => binding.getNumOfTensors(),
    compile: async (graph) => compiled(binding, graph),
  };
}

let models = 0;

/**
 * The binding loads models from folders; TensorFlow's own file system in memory spares the disk. It has no way to remove
 * a file, so the text is replaced by an empty one once the model stands.
 */
function load(binding: Binding, model: Uint8Array): number {
  const folder = `ram://ftpc/${models++}`;
  const write = (content: Uint8Array): void =>
    scoped(binding, (keep) => {
      const text = (value: Uint8Array) => keep(binding.createTensor([], DATA_TYPE.string, [value]));
      const path = text(new TextEncoder().encode(`${folder}/saved_model.pb`));
      binding.executeOp('WriteFile', [], [path, text(content)], 0);
    });
  write(model);
  try {
    return binding.loadSavedModel(folder, 'serve');
  } finally {
    write(new Uint8Array(0));
  }
}

/** Deletes every handle that was kept, however `use` ends. */
function scoped<T>(binding: Binding, use: (keep: (handle: number) => number) => T): T {
  const kept: number[] = [];
  try {
    return use((handle) => {
      kept.push(handle);
      return handle;
    });
  } finally {
    for (const handle of kept) binding.deleteTensor(handle);
  }
}

function compiled(binding: Binding, graph: Graph): CompiledGraph {
  const { model, feeds, fetches } = encode(graph);
  const loaded = load(binding, model);
  const typed = (values: Graph['inputs']) =>
    values.map(({ name, value }) => ({ name, type: graph.types[value] as TensorType }));
  const [inputs, outputs] = [typed(graph.inputs), typed(graph.outputs)];
  return {
    graph,
    /**
     * Every input becomes a handle for this run alone: the binding fetches the content of handles back to the host in
     * each run, so keeping those of weights would gain nothing, and what is trained changes in place.
     */
    async run(given, into = {}) {
      // a block of which nothing is trained and nobody asks the gradient
      if (outputs.length === 0) return {};
      return scoped(binding, (keep) => {
        const handles = inputs.map(({ name, type }) => {
          const tensor = given[name];
          if (tensor === undefined) throw new GraphError(`${graph.name}: input ${name} is missing`);
          return keep(binding.createTensor(type.shape, DATA_TYPE[type.dtype], elementsOf(tensor)));
        });
        const results = binding.runSavedModel(loaded, handles, feeds, fetches).map(({ id }) => keep(id));
        return Object.fromEntries(
          outputs.map(({ name, type }, index) => {
            const target = into[name] ?? { type, data: allocate(type) };
            read(binding, results[index], target);
            return [name, target];
          }),
        );
      });
    },
    async release() {
      binding.deleteSavedModel(loaded);
    },
  };
}

/** The binding takes int64 as pairs of int32. */
const elementsOf = ({ data }: HostTensor): ArrayBufferView =>
  data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length) : data;

function read(binding: Binding, handle: number | undefined, { type, data }: HostTensor): void {
  if (handle === undefined) throw new GraphError('the model gave fewer outputs than its graph has');
  const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  bytes(data).set(bytes(binding.tensorDataSync(handle)));
  discarded(bytesOf(type));
}
