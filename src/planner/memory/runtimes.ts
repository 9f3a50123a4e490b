/**
 * What a runtime takes beyond ONNX Runtime, of which all other figures are. TensorFlow has libraries of its own, copies
 * what it is fed, gives its outputs in fresh memory, and writes no intermediate over another.
 */
import type { DecoderPlan } from '../../models/decoder/types.js';
import { transientBytes } from '../../tensor/liveness.js';
import { bytesOf } from '../../tensor/shape.js';
import type { Graph, NamedValue } from '../../tensor/types.js';

const MIB = 2 ** 20;

/**
 * Measured with TensorFlow 2.21 on Linux x64, as growth over ONNX Runtime in the same step: a process that has loaded it
 * 249 to 254 MiB; six steps of hidden 192 and 576, 512 to 2,048 tokens, kept and recomputed, adapter and full: 22 to
 * 41 MiB beside the copies, and intermediates of 1.33 times the size.
 */
const TENSORFLOW = { process: 252 * MIB, driver: 30 * MIB, intermediates: 1.33 } as const;

export interface Beyond {
  /** Part of the process, whatever it computes. */
  readonly process: number;
  /** Copies and intermediates of the graph that takes most. */
  readonly workspace: number;
}

export function beyondOnnx(runtime: string, graphs: DecoderPlan['graphs']): Beyond {
  if (runtime !== 'tensorflow') return { process: 0, workspace: 0 };
  const all = graphs.map(({ graph }) => {
    const transient = transientBytes(graph);
    const copies = sizeOf(graph, graph.inputs) + 2 * sizeOf(graph, graph.outputs);
    return { transient, whole: copies + TENSORFLOW.intermediates * transient };
  });
  const [most, counted] = [
    Math.max(0, ...all.map(({ whole }) => whole)),
    Math.max(0, ...all.map(({ transient }) => transient)),
  ];
  return { process: TENSORFLOW.process, workspace: TENSORFLOW.driver + most - counted };
}

const sizeOf = ({ types }: Graph, values: readonly NamedValue[]): number =>
  values.reduce((sum, { value }) => {
    const type = types[value];
    return sum + (type === undefined ? 0 : bytesOf(type));
  }, 0);
