/** ONNX Runtime on the CPU, through `onnxruntime-node`, which is loaded only when it is asked for. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { arrange } from '../../order.js';
import { GraphError } from '../../shape.js';
import type { CompiledGraph, DType, Graph, HostTensor, Runtime, TensorType } from '../../types.js';
import { encode } from './encode.js';

export { encode } from './encode.js';

export interface OnnxOptions {
  /** Threads inside one op; default: one a core, as ONNX Runtime counts them. */
  readonly threads?: number;
  /**
   * Keeps freed memory for the next run. Off by default: each compiled graph has an arena of its own,
   * so the peak would be the sum over all graphs.
   */
  readonly arena?: boolean;
}

type Onnx = typeof import('onnxruntime-node');

const ELEMENTS: Readonly<Record<DType, 'float32' | 'int32' | 'int64' | 'bool'>> = {
  f32: 'float32',
  i32: 'int32',
  i64: 'int64',
  bool: 'bool',
};

/** Errors-only logging: warnings about unused values would go to the terminal. */
const LOG_ERRORS = 3;

export async function onnxRuntime(options: OnnxOptions = {}): Promise<Runtime> {
  const module = (await import('onnxruntime-node')) as Onnx & { default?: Onnx };
  const onnx = module.default ?? module;
  const settings: InferenceSession.SessionOptions = {
    intraOpNumThreads: options.threads ?? 0,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // the pattern doubles the peak, and the graph's own passes have done the rewriting
    enableMemPattern: false,
    enableCpuMemArena: options.arena ?? false,
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: LOG_ERRORS,
  };
  return {
    name: 'onnx',
    version: onnx.env.versions.node ?? onnx.env.versions.common,
    async compile(graph) {
      const session = await onnx.InferenceSession.create(encode(arrange(graph)), settings);
      return compiled(onnx, session, graph);
    },
  };
}

function compiled(onnx: Onnx, session: InferenceSession, graph: Graph): CompiledGraph {
  // a host tensor that is fed again, as weights are, is wrapped once
  const wrapped = new WeakMap<HostTensor, Tensor>();
  const wrap = (tensor: HostTensor): Tensor => {
    const known = wrapped.get(tensor);
    if (known !== undefined) return known;
    const fresh = new onnx.Tensor(
      ELEMENTS[tensor.type.dtype],
      tensor.data as Float32Array,
      tensor.type.shape,
    );
    wrapped.set(tensor, fresh);
    return fresh;
  };
  const outputs = graph.outputs.map(({ name, value }) => ({ name, type: graph.types[value] as TensorType }));
  return {
    graph,
    async run(inputs, given = {}) {
      const feeds: Record<string, Tensor> = {};
      for (const { name } of graph.inputs) {
        const tensor = inputs[name];
        if (tensor === undefined) throw new GraphError(`${graph.name}: input ${name} is missing`);
        feeds[name] = wrap(tensor);
      }
      const fetches: Record<string, Tensor | null> = {};
      for (const { name } of outputs) {
        const tensor = given[name];
        fetches[name] = tensor === undefined ? null : wrap(tensor);
      }
      const results = await session.run(feeds, fetches);
      const named: Record<string, HostTensor> = {};
      for (const { name, type } of outputs) {
        const tensor = given[name];
        named[name] = tensor ?? { type, data: results[name]?.data as Float32Array };
      }
      return named;
    },
    release: () => session.release(),
  };
}
