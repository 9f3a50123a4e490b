/**
 * What a runtime takes beyond ONNX Runtime, of which all other figures are. TensorFlow has libraries of its own; what is
 * trained and its gradients lie on its device and on the host; its outputs come in fresh memory, and it writes fewer
 * intermediates over one another. Frozen weights it shares with the host, as long as its device is the CPU.
 */
import type { DecoderPlan } from '../../models/decoder/types.js';
import { transientBytes } from '../../tensor/liveness.js';
import { INTERMEDIATES, outputBytes } from '../../tensor/runtimes/tensorflow/working-bytes.js';

const MIB = 2 ** 20;

/**
 * Measured with TensorFlow 2.21 on Linux x64, as growth over ONNX Runtime in the same step: a process that has loaded it
 * 252 MiB; seven steps of hidden 192 and 576, 256 to 2,048 tokens, kept and recomputed, adapter and full: 18 MiB beside
 * what is written twice, outputs, and half again of the intermediates; each within 3 % of the whole process.
 */
const TENSORFLOW = { process: 252 * MIB, driver: 18 * MIB } as const;

export interface Beyond {
  /** Part of the process, whatever it computes. */
  readonly process: number;
  /** Of the library, while it computes. */
  readonly driver: number;
  /** Second copies of what is trained and of its gradients, which a device has beside the host. */
  readonly copies: number;
  /** Outputs and intermediates of the graph that takes most. */
  readonly graph: number;
}

export function beyondOnnx(
  runtime: string,
  {
    graphs,
    parts,
  }: { readonly graphs: DecoderPlan['graphs']; readonly parts: { readonly gradients: number } },
): Beyond {
  if (runtime !== 'tensorflow') return { process: 0, driver: 0, copies: 0, graph: 0 };
  const graph = Math.max(
    0,
    ...graphs.map(({ graph: one }) => (INTERMEDIATES - 1) * transientBytes(one) + outputBytes(one)),
  );
  const { process, driver } = TENSORFLOW;
  return { process, driver, copies: 2 * parts.gradients, graph };
}
