/** What a runtime takes beyond ONNX Runtime, of which all other figures are. */

import { expectedTensors } from '../../../compute/models/architectures/index.js';
import type { DecoderPlan, Dequantised } from '../../../compute/models/decoder/types.js';

import type { ModelConfig } from '../../../compute/models/types.js';
import { transientBytes } from '../../../compute/tensor/liveness.js';
import { isWorthCompiling } from '../../../compute/tensor/runtimes/tensorflow/variants.js';
import { INTERMEDIATES, outputBytes } from '../../../compute/tensor/runtimes/tensorflow/working-bytes.js';
import { bytesOf, sizeOf } from '../../../compute/tensor/shape.js';
import type { Graph } from '../../../compute/tensor/types.js';
import { MAPPED_BYTES } from '../../../language/host/shareable.js';

const MIB = 2 ** 20;

/**
 * TensorFlow has libraries of its own; what is trained lies on its device and on the host, and so do its gradients where
 * the host updates; its outputs come in fresh memory, and it writes fewer intermediates over one another. Frozen weights
 * it shares with the host, as long as its device is the CPU, but for small ones. What is not mapped by itself lies in heaps
 * that are never as full as they are long, since every tensor is replaced in each step: 24 to 50 % more in steps of 6, 22 and 44
 * blocks of hidden 192 with AdamW, adapter and full.
 *
 * Measured with TensorFlow 2.21 on Linux x64, as growth over ONNX Runtime in the same step: a process that has loaded it
 * 252 MiB; seven steps of hidden 192 and 576, 256 to 2,048 tokens, saved and recomputed, adapter and full: 18 MiB besides
 * what is written twice, outputs, and half again of the intermediates; each within 5 % of the whole process. Memory that
 * products pack into, kept between them, adds 8 MiB: three of the steps again, each within 6 %.
 */
const TENSORFLOW = { process: 252 * MIB, driver: 26 * MIB, heaps: 0.4 } as const;

/**
 * XLA, the first time that it compiles: pages of the library that are its code (`RssFile`: 47 MiB for an update, 52 to 62 in
 * trainings), which stay, and what it works in while it compiles products, which stays too: more the more nodes a graph has, up to a size.
 * Measured alone with graphs of 16 tokens, beyond what they take when they are not compiled: 16 to 18 MiB for a head of 7 to 20 nodes, 35 and 39
 * for a block of 39 and 60, 59 to 72 for its backward pass of 101 to 176, and 65 for one of 214; compiled after another, 1 to 4. An update, which
 * has no products, took it 30 MiB of memory that was free by then. `logits`: how often it has
 * those of a loss, of which TensorFlow itself writes probabilities over them: 32, 64 and 128 tokens of 49,152 and 262,144.
 */
const XLA = { code: 62 * MIB, node: MIB, least: 16, most: 70, logits: 2 } as const;

/**
 * The share of an update's intermediates that TensorFlow has at a time, since it writes most of them over others: 144 MiB of 324, of
 * AdamW over 108 MiB, compiled or not. What it frees of them stays in the process.
 */
const OF_UPDATE = 0.45;

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
  { blocks = false, inGraph }: Dequantised,
): readonly number[] => (blocks && inGraph === undefined ? [] : weightSizes(config, bytes));

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
  /** Bytes of tensors that are too small to be mapped by themselves: frozen weights, and all that is held of trained ones. */
  readonly small?: { readonly frozen: number; readonly trained: number };
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

const isSmall = (bytes: number): boolean => bytes < MAPPED_BYTES;
const total = (sizes: readonly number[]): number => sizes.reduce((sum, bytes) => sum + bytes, 0);

/** Bytes of the small ones among tensors. */
export const smallBytes = (sizes: readonly number[]): number => total(sizes.filter(isSmall));

/** Bytes of each of a model's weights, which take `bytes` in all. */
export function weightSizes(config: ModelConfig, bytes: number): readonly number[] {
  const sizes = expectedTensors(config).map(({ shape }) => sizeOf(shape));
  const each = bytes / Math.max(1, total(sizes));
  return sizes.map((size) => size * each);
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
  return smallBytes(saved) / Math.max(1, total(saved));
}

/** Of a head that is not trained, and gives losses. */
const isLoss = ({ role, graph: { inputs, outputs } }: DecoderPlan['graphs'][number]): boolean =>
  role === 'head' &&
  outputs.some(({ name }) => name === 'loss') &&
  !inputs.some(({ name }) => name === 'seed');

/** Of one that gives gradients. */
const isTrained = ({ role, graph: { inputs } }: DecoderPlan['graphs'][number]): boolean =>
  role === 'head' && inputs.some(({ name }) => name === 'seed');

/**
 * What the head of a training holds of its logits, where it is not compiled, as a multiple of those that are alive: measured alone, of 16
 * and 64 tokens with 49,152 and 262,144 logits each, 2.8 to 3.1.
 */
const TRAINED_HEAD = 3;

/** What an update takes besides what it reads: what it gives, in fresh memory, and this share of its intermediates. */
const updateBytes = (update: Graph, share: number): number =>
  share * transientBytes(update) + outputBytes(update);

/** Runtimes of which it was measured. */
const BEYOND: Readonly<Record<string, (planned: StepGraphs) => RuntimeOverhead>> = {
  tensorflow({ graphs, parts, update, compiles = false, small = { frozen: 0, trained: 0 } }) {
    const compiled = compiles ? graphs.filter(({ graph: one }) => isWorthCompiling(one)) : [];
    const heldBy = (planned: StepGraphs['graphs'][number]): number => {
      const isCompiled = compiled.includes(planned);
      if (isTrained(planned) && !isCompiled) return TRAINED_HEAD;
      return isLoss(planned) && isCompiled ? XLA.logits : INTERMEDIATES;
    };
    const ofGraphs = graphs.map(
      (planned) => (heldBy(planned) - 1) * transientBytes(planned.graph) + outputBytes(planned.graph),
    );
    // what updates runs when no other graph does, whose intermediates are counted
    const counted = Math.max(0, ...graphs.map(({ graph: one }) => transientBytes(one)));
    const ofUpdate = update === undefined ? 0 : updateBytes(update, OF_UPDATE) - counted;
    const compilesUpdate = compiles && update !== undefined && isWorthCompiling(update);
    const nodes = Math.max(XLA.least, ...compiled.map(({ graph: one }) => one.nodes.length));
    const compiling = compiled.length === 0 ? 0 : XLA.node * Math.min(XLA.most, nodes);
    const { process, driver, heaps } = TENSORFLOW;
    // gradients are copied to the host only where it updates
    const sets = update === undefined ? 2 : 1;
    return {
      process,
      driver: driver + (compiled.length > 0 || compilesUpdate ? XLA.code : 0),
      copies: sets * parts.gradients + small.frozen,
      heaps: heaps * (small.trained + smallShare(graphs) * parts.activations),
      graph: compiling + Math.max(0, ofUpdate, ...ofGraphs),
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
