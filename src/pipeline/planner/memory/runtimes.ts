/** What a runtime takes beyond ONNX Runtime, of which all other figures are. */

import { expectedTensors } from '../../../compute/models/architectures/index.js';
import type { DecoderPlan, Dequantised } from '../../../compute/models/decoder/types.js';

import type { ModelConfig } from '../../../compute/models/types.js';
import { storedBytes } from '../../../compute/models/weights/formats.js';
import { transientBytes } from '../../../compute/tensor/liveness.js';
import { isWorthCompiling } from '../../../compute/tensor/runtimes/tensorflow/variants.js';
import { outputBytes } from '../../../compute/tensor/runtimes/tensorflow/working-bytes.js';
import { bytesOf, sizeOf } from '../../../compute/tensor/shape.js';
import type { Graph } from '../../../compute/tensor/types.js';
import { MAPPED_BYTES } from '../../../language/host/shareable.js';
import type { BufferSizes } from './mapped.js';

const MIB = 2 ** 20;

/**
 * TensorFlow has libraries of its own; what is trained lies on its device and on the host, and so do its gradients where
 * the host updates; its outputs come in fresh memory. Frozen weights it shares with the host, as long as its device is the CPU, but for
 * small ones. `process`: growth of one that has loaded TensorFlow 2.21 over ONNX Runtime's, on Linux x64. `driver`: threads, kernels of
 * oneDNN, and what products pack into, which is kept between them.
 */
const TENSORFLOW = { process: 252 * MIB, driver: 26 * MIB } as const;

/**
 * Where tensors lie that are allocated again in each step. Those of `least` bytes and more have regions of their own, each twice as
 * long as the one before, of which a chunk is handed out whole that is less than twice as long as what is asked for: what was ever written
 * was 1.01 to 1.15 times what was alive at most, in trainings of three bases, by the log of the allocator (`TF_CPP_VMODULE=bfc_allocator=3`).
 * Smaller ones are malloc's: values and moments that the host has written are replaced by those of another thread, whose heap has no use of
 * what they leave. What the process held besides regions and arrays of the host, less what was alive, was 14 to 79 MiB with 13 to
 * 99 MiB of them, in six trainings.
 */
const REGIONS = { least: 256 * 1024, beyond: 0.1 } as const;
const HEAPS = 0.8;

/**
 * XLA, the first time that it compiles: pages of the library that are its code (`RssFile`: 45 MiB for an update, 52 to 56 in
 * trainings), which stay, and what it works in while it compiles products: more the more nodes a graph has, up to a size.
 * Measured alone with graphs of 16 tokens, beyond what they take when they are not compiled: 16 to 18 MiB for a head of 7 to 20 nodes, 35 and 39
 * for a block of 39 and 60, 59 to 72 for its backward pass of 101 to 176, and 65 for one of 214; compiled after another, 1 to 4. That is
 * free when small tensors are replaced for the first time, which then lie there. An update, which
 * has no products, took it 30 MiB of memory that was free by then. `logits`: how often it has
 * those of a loss, of which TensorFlow itself writes probabilities over them: 32, 64 and 128 tokens of 49,152 and 262,144.
 */
const XLA = { code: 55 * MIB, begun: 12 * MIB, node: MIB / 2, most: 70 * MIB, logits: 2 } as const;

/**
 * The share of an update's intermediates that TensorFlow has besides its outputs, into which it writes most of them: 9 MiB of 27, of AdamW over
 * 9 MiB, by the log of its allocator; XLA has none.
 */
const OF_UPDATE = 1 / 3;

/**
 * TensorFlow.js in WebAssembly: the library is smaller than ONNX Runtime's; weights as float32 lie in its heap and, as its
 * products pack them, once more; outputs come in fresh memory; what is trained lies on the host besides. Two steps of hidden 192 and
 * 256 tokens, an adapter and every weight (`npm run bench -- memory --only wasm`): 3.0 and 1.4 % of the whole process less. An update of
 * AdamW over 108 MiB took 645 MiB: its three outputs, and its intermediates to the byte.
 */
const WASM = { process: -28 * MIB, driver: 20 * MIB } as const;

/**
 * How much longer the heap is than what a training has in it, as tensors are replaced in each step: 3 to 9 % in trainings of two bases,
 * of 44 blocks of hidden 192 and 8 of 576, by LoRA and in full.
 */
const WASM_HEAP = 0.06;

/**
 * TensorFlow.js over Dawn: the driver, and the kernels of a step, which it compiles in the process. Measured with
 * SwiftShader 5.0 on Linux x64. Beyond the process of ONNX Runtime: 127 and 157 MiB in trainings of a pipeline with hidden
 * sizes 32 and 192, 95 to 139 MiB in evaluations and merges. As growth in a step beyond its tensors, 12 to 52 MiB: 142 to
 * 223 MiB with hidden sizes of 64 to 256 and 64 to 512 tokens, saved and recomputed, adapter and full. No GPU was tried:
 * its driver takes something else, and tensors in a memory of its own are not in the process.
 */
const WEBGPU = { process: 175 * MIB } as const;

/** What of a base is dequantised: graphs of TensorFlow do it themselves, matrix by matrix, and a workspace takes all of a block. */
export const decodedBy = (runtime: string, { inGraph, ...decoded }: Dequantised): Dequantised =>
  runtime === 'tensorflow' && inGraph !== undefined ? { ...decoded, inGraph } : decoded;

/** Bytes of each of the frozen weights that lie on a device: what a workspace is dequantised into stays the process's. */
export const heldSizes = (
  config: ModelConfig,
  bytes: number,
  { blocks = false, inGraph, coded = false }: Dequantised,
): readonly number[] => (blocks && inGraph === undefined ? [] : weightSizes(config, bytes, coded));

export interface RuntimeOverhead {
  /** Part of the process, whatever it computes. */
  readonly process: number;
  /** Of the library, while it computes. */
  readonly driver: number;
  /** Second copies of what is trained, and of gradients that a device has besides the host. */
  readonly copies: number;
  /** Of heaps that are not full. */
  readonly heaps: number;
  /** Outputs and intermediates of the graph that takes most. */
  readonly graph: number;
}

interface StepGraphs {
  readonly graphs: DecoderPlan['graphs'];
  readonly parts: Pick<DecoderPlan['parts'], 'gradients' | 'activations'>;
  /** Bytes of each frozen weight on a device, and buffers of all that is held there of trained ones. */
  readonly held?: { readonly frozen: readonly number[]; readonly trained: readonly BufferSizes[] };
  readonly floatBytes: number;
  /** Whether these are what is trained. */
  readonly trainsBase?: boolean;
  /** Bytes of the optimiser's state. */
  readonly state?: number;
  /** Of an optimiser on the device: the graph that updates most at a time. */
  readonly update?: Graph;
  /** Whether graphs that compute much are compiled. */
  readonly compiles?: boolean | undefined;
}

const NOTHING: RuntimeOverhead = { process: 0, driver: 0, copies: 0, heaps: 0, graph: 0 };

const total = (sizes: readonly number[]): number => sizes.reduce((sum, bytes) => sum + bytes, 0);

/** Bytes of the ones among tensors that have fewer each than `least`. */
export const smallBytes = (sizes: readonly number[], least: number): number =>
  total(sizes.filter((bytes) => bytes < least));

/** Bytes of each of a model's weights, which take `bytes` in all; `coded`: projections are in 4 bits, and the others alike. */
export function weightSizes(config: ModelConfig, bytes: number, coded = false): readonly number[] {
  const known = expectedTensors(config).map(({ shape, role }) => ({
    size: sizeOf(shape),
    codes: coded && role === 'projection' ? storedBytes(shape, 'NF4') : undefined,
  }));
  const others = total(known.map(({ size, codes }) => (codes === undefined ? size : 0)));
  const each = Math.max(0, bytes - total(known.map(({ codes = 0 }) => codes))) / Math.max(1, others);
  return known.map(({ size, codes = size * each }) => codes);
}

/** Of what blocks save for the backward pass, the share that is in small tensors. */
function smallShare(graphs: DecoderPlan['graphs']): number {
  const saved = graphs
    .filter(({ role }) => role === 'block_forward')
    .flatMap(({ graph: { outputs, types } }) =>
      outputs.flatMap(({ value }) => {
        const type = types[value];
        return type === undefined ? [] : [bytesOf(type)];
      }),
    );
  return smallBytes(saved, REGIONS.least) / Math.max(1, total(saved));
}

/** Of a head that is not trained, and gives losses. */
const isLoss = ({ role, graph: { inputs, outputs } }: DecoderPlan['graphs'][number]): boolean =>
  role === 'head' &&
  outputs.some(({ name }) => name === 'loss') &&
  !inputs.some(({ name }) => name === 'seed');

/** Of one that gives gradients. */
const isTrained = ({ role, graph: { inputs } }: DecoderPlan['graphs'][number]): boolean =>
  role === 'head' && inputs.some(({ name }) => name === 'seed');

/** How often the head of a training has its logits: 16, 64 and 256 tokens of 4,096, 49,152 and 262,144, by the log of the allocator. */
const TRAINED_HEAD = 2;

/** What an update takes besides what it reads: what it gives, in fresh memory, and this share of its intermediates. */
const updateBytes = (update: Graph, share: number): number =>
  share * transientBytes(update) + outputBytes(update);

/** Runtimes of which it was measured. */
const BEYOND: Readonly<Record<string, (planned: StepGraphs) => RuntimeOverhead>> = {
  tensorflow({ graphs, parts, update, compiles = false, held = { frozen: [], trained: [] } }) {
    const compiled = compiles ? graphs.filter(({ graph: one }) => isWorthCompiling(one)) : [];
    const heldBy = (planned: StepGraphs['graphs'][number]): number => {
      if (isTrained(planned)) return TRAINED_HEAD;
      return isLoss(planned) && compiled.includes(planned) ? XLA.logits : 1;
    };
    const ofGraphs = graphs.map(
      (planned) => (heldBy(planned) - 1) * transientBytes(planned.graph) + outputBytes(planned.graph),
    );
    // what updates runs when no other graph does, whose intermediates are counted
    const counted = Math.max(0, ...graphs.map(({ graph: one }) => transientBytes(one)));
    const compilesUpdate = compiles && update !== undefined && isWorthCompiling(update);
    const ofUpdate = update === undefined ? 0 : updateBytes(update, compilesUpdate ? 0 : OF_UPDATE) - counted;
    const graph = Math.max(0, ofUpdate, ...ofGraphs);
    const nodes = Math.max(0, ...compiled.map(({ graph: one }) => one.nodes.length));
    const compiling = compiled.length === 0 ? 0 : Math.min(XLA.most, XLA.begun + XLA.node * nodes);
    const { process, driver } = TENSORFLOW;
    // gradients are copied to the host only where it updates
    const sets = update === undefined ? 2 : 1;
    const copied = smallBytes(held.frozen, MAPPED_BYTES);
    const trained = held.trained.map(({ bytes, count }) => count * bytes);
    const replaced = total(
      held.trained.map(({ bytes, count }) => count * smallBytes([bytes], REGIONS.least)),
    );
    const small = replaced + smallShare(graphs) * parts.activations;
    const inRegions =
      copied -
      smallBytes(held.frozen, REGIONS.least) +
      total(trained) +
      parts.activations +
      counted +
      graph -
      small;
    return {
      process,
      driver: driver + (compiled.length > 0 || compilesUpdate ? XLA.code : 0),
      copies: sets * parts.gradients + copied,
      heaps: REGIONS.beyond * inRegions + Math.max(HEAPS * small, compiling),
      graph,
    };
  },
  webgpu: () => ({ ...NOTHING, process: WEBGPU.process }),
  wasm({ graphs, parts, update, floatBytes, trainsBase = false, state = 0 }) {
    // its heap keeps what an update took, when no other graph ran, whose intermediates are counted
    const counted = Math.max(0, ...graphs.map(({ graph: one }) => transientBytes(one)));
    const ofUpdate = update === undefined ? 0 : updateBytes(update, 1) - counted;
    const graph = Math.max(0, ofUpdate, ...graphs.map(({ graph: one }) => outputBytes(one)));
    // weights, and what their products pack; those that are trained are among what the host has as well
    const weights = (trainsBase ? 1 : 2) * floatBytes;
    const { gradients, activations } = parts;
    const filled = weights + 2 * gradients + activations + (update === undefined ? 0 : state) + graph;
    return {
      ...{ process: WASM.process, driver: WASM.driver, graph },
      // values on the host, and gradients where that updates
      copies: weights + (update === undefined ? 2 : 1) * gradients,
      heaps: gradients === 0 ? 0 : WASM_HEAP * filled,
    };
  },
};

export const runtimeOverhead = (runtime: string, planned: StepGraphs): RuntimeOverhead =>
  BEYOND[runtime]?.(planned) ?? NOTHING;
