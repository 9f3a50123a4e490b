/** What a GPU would refuse of a stage's graphs: it takes tensors up to a size. */
import type { DecoderPlan } from '../../../compute/models/decoder/types.js';
import { refusedBytes } from '../../../compute/tensor/runtimes/tfjs/kernel-calls.js';
import type { Peak } from '../types.js';

/** The peak with the largest tensor that is refused; `largest`: bytes that the GPU takes in one piece, where it has a limit. */
export function inPieces(peak: Peak, graphs: DecoderPlan['graphs'], largest: number | undefined): Peak {
  if (largest === undefined) return peak;
  const sizes = graphs.map(({ graph }) => refusedBytes(graph, largest) ?? 0);
  const bytes = Math.max(0, ...sizes);
  return bytes === 0 ? peak : { ...peak, refused: { bytes, largest } };
}
