/** ONNX Runtime on the CPU, through `onnxruntime-node`, which is loaded only when it is asked for. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Host } from '../../../../language/host/host.js';
import type { Look } from '../../../libraries/damage.js';
import { type Libraries, loadLibrary } from '../../../libraries/index.js';
import { discarded } from '../../garbage.js';
import { allocate, hostMemory, onHost } from '../../memory.js';
import { argument } from '../../ops/definition.js';
import { GraphError } from '../../shape.js';
import { multiplyTiles } from '../../tiles.js';
import type {
  CompiledGraph,
  DType,
  FixedTensors,
  Graph,
  HostTensor,
  Runtime,
  TensorType,
} from '../../types.js';
import { accumulateInPlace, LEAST_SUM } from './accumulate.js';
import { encode, encodeFixed, STOP } from './encode.js';
import { isOpen } from './open-sizes.js';
import { translateOnnxError } from './out-of-memory.js';
import { isSound, sums, tangle, tiledProducts } from './probe.js';
import { planScratch, Scratch, type ScratchPlan } from './scratch.js';
import { waiting } from './waiting.js';

export { isCrowded } from './waiting.js';

interface OnnxOptions {
  /** Where the library is; default: this machine. */
  readonly host?: Host;
  /** Which of its files are looked at before it is loaded. */
  readonly look?: Look;
  /** Threads inside one op; default: one per core, as ONNX Runtime counts them. */
  readonly threads?: number;
  /**
   * Keeps freed memory for the next run. Off by default: each compiled graph has an arena of its own,
   * so the peak would be the sum over all graphs.
   */
  readonly arena?: boolean;
  /**
   * Intermediates of at least this many bytes lie in memory that all graphs share (see scratch.ts);
   * smaller ones come from the system's heap. `Infinity` for none.
   */
  readonly scratch?: number;
  /** Whether other programs want the cores too (see waiting.ts). Changes no result. */
  readonly crowded?: boolean;
  /** Each compiled graph writes what its nodes cost into a file whose name begins so, whole once it is released. */
  readonly profile?: string;
}

type Onnx = Libraries['onnxruntime-node'];

const ELEMENTS: Readonly<Record<DType, 'float32' | 'int32' | 'int64' | 'bool'>> = {
  f32: 'float32',
  i32: 'int32',
  i64: 'int64',
  bool: 'bool',
};

/** Smaller values come from the heap without a page fault. Bytes. */
const SMALLEST_SHARED = 128 * 1024;

/** Places of a tile: with AVX-512, and without. */
const TILE_SIZES = [16, 8];

/** Where no intermediate has a size that is known. */
const NO_SCRATCH: ScratchPlan = { bytes: 0, places: [], inOutputs: [] };

/** Errors-only logging: warnings about unused values would go to the terminal. */
const LOG_ERRORS = 3;

/**
 * The library as it is: from 1.29 on it would tell its makers of sessions, among them sums of graphs and weights, and keep
 * an identifier and what it could not send in the user's cache. It reads when it is loaded that it is not to.
 */
export async function loadOnnx(host?: Host, look?: Look): Promise<Onnx> {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  return loadLibrary('onnxruntime-node', host, look);
}

/** The runtime over ONNX Runtime's CPU provider. Throws a `UserError` where its library cannot be loaded. */
export async function onnxRuntime(options: OnnxOptions = {}): Promise<Runtime> {
  const onnx = await loadOnnx(options.host, options.look);
  const settings: InferenceSession.SessionOptions = {
    intraOpNumThreads: options.threads ?? 0,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // the pattern doubles the peak, and the graph's own passes have done the rewriting
    enableMemPattern: false,
    enableCpuMemArena: options.arena ?? false,
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: LOG_ERRORS,
    ...(options.profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: options.profile }),
    extra: { session: waiting(options.crowded ?? false) },
  };
  const scratch = new Scratch(
    (type, data) => new onnx.Tensor(ELEMENTS[type.dtype], data as Float32Array, type.shape),
  );
  const compile = async (
    graph: Graph,
    smallest: number,
    least: number,
    tiles?: number,
  ): Promise<CompiledGraph> => {
    const run = accumulateInPlace(tiles === undefined ? graph : multiplyTiles(graph, tiles), least);
    const plan = planScratch(run, smallest);
    const model = encode(
      run,
      [...plan.places, ...plan.inOutputs].map(({ value }) => value),
    );
    const session = await onnx.InferenceSession.create(model, settings).catch(failed);
    scratch.reserve(plan);
    return compiled(onnx, session, { graph, run, plan }, scratch);
  };
  const compileFixed = async (
    graph: Graph,
    fixed: FixedTensors,
    open: readonly number[],
  ): Promise<CompiledGraph | undefined> => {
    const model = encodeFixed(graph, fixed, open);
    if (model === undefined) return undefined;
    const session = await onnx.InferenceSession.create(model, settings).catch(failed);
    discarded(model.byteLength);
    const given = { ...graph, inputs: graph.inputs.filter(({ name }) => !fixed.has(name)) };
    return compiled(onnx, session, { graph: given, run: given, plan: NO_SCRATCH, open }, scratch);
  };
  // a release that ordered nodes otherwise would only cost memory, and one that took no convolutions for sums only time
  const none = Number.POSITIVE_INFINITY;
  const ordered = await isSound((graph) => compile(graph, 0, none), tangle());
  const smallest = ordered ? (options.scratch ?? SMALLEST_SHARED) : none;
  const accumulates = await isSound((graph) => compile(graph, ordered ? 0 : none, 0), sums());
  const least = accumulates ? LEAST_SUM : none;
  let tileSize: Promise<number | undefined> | undefined;
  return {
    name: 'onnx',
    version: onnx.env.versions.node ?? onnx.env.versions.common,
    memory: hostMemory(),
    compile: async (graph) => compile(graph, smallest, least, await tileSize),
    compileFixed,
    tileSize() {
      tileSize ??= firstSound(TILE_SIZES, (size) =>
        isSound((graph) => compile(graph, smallest, least, size), tiledProducts(size)),
      );
      return tileSize;
    },
  };
}

/** The first of some sizes for which a check passes; on a processor without the ops a graph does not compile. */
async function firstSound(
  sizes: readonly number[],
  check: (size: number) => Promise<boolean>,
): Promise<number | undefined> {
  for (const size of sizes) if (await check(size).catch(() => false)) return size;
  return undefined;
}

function failed(error: unknown): never {
  throw translateOnnxError(error);
}

const isStop = (error: unknown): boolean => error instanceof Error && /^Non tensor type/.test(error.message);

/**
 * `run` is the graph as ONNX Runtime runs it, and `plan` says where its intermediates lie; `open`: sizes for which others may be
 * given.
 */
function compiled(
  onnx: Onnx,
  session: InferenceSession,
  {
    graph,
    run,
    plan,
    open,
  }: {
    readonly graph: Graph;
    readonly run: Graph;
    readonly plan: ScratchPlan;
    readonly open?: readonly number[];
  },
  scratch: Scratch,
): CompiledGraph {
  // a host tensor that is fed again, as weights are, is wrapped once in each shape
  const wrapped = new WeakMap<HostTensor, Map<string, Tensor>>();
  const wrap = (tensor: HostTensor, { dtype, shape }: TensorType = tensor.type): Tensor => {
    const shapes = wrapped.get(tensor) ?? new Map<string, Tensor>();
    wrapped.set(tensor, shapes);
    const known = shapes.get(shape.join());
    if (known !== undefined) return known;
    const fresh = new onnx.Tensor(ELEMENTS[dtype], tensor.data as Float32Array, shape);
    shapes.set(shape.join(), fresh);
    return fresh;
  };
  const outputs = graph.outputs.map(({ name, value }, index) => {
    const computed = argument(run.types, argument(run.outputs, index).value);
    // what has an open size has the shape of what is given for it
    const isGiven = computed.shape.some((size) => isOpen(size, open));
    return { name, type: argument(graph.types, value), computed: isGiven ? undefined : computed };
  });
  return {
    graph,
    async run(inputs, given = {}) {
      const feeds: Record<string, Tensor> = {};
      for (const { name } of graph.inputs) {
        const tensor = inputs[name];
        if (tensor === undefined) throw new GraphError(`${graph.name}: input ${name} is missing`);
        feeds[name] = wrap(onHost(tensor));
      }
      const named: Record<string, HostTensor> = {};
      const fetches: Record<string, Tensor | null> = { [STOP]: null, ...scratch.tensors(plan) };
      for (const { name, type, computed } of outputs) {
        const tensor = onHost(given[name] ?? { type, data: allocate(type) });
        named[name] = tensor;
        fetches[name] = wrap(tensor, computed);
      }
      for (const { name, type, output } of plan.inOutputs) {
        const tensor = named[output];
        if (tensor !== undefined) fetches[name] = wrap(tensor, type);
      }
      try {
        await session.run(feeds, fetches);
      } catch (error) {
        if (!isStop(error)) failed(error);
      }
      return named;
    },
    async release() {
      scratch.forget(plan);
      await session.release();
    },
  };
}
