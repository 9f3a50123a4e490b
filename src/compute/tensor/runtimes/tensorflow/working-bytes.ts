/** What a function of TensorFlow takes while it runs, besides the tensors that it is given. */
import { transientBytes } from '../../liveness.js';
import { bytesOf } from '../../shape.js';
import type { Graph } from '../../types.js';

/**
 * TensorFlow writes fewer intermediates over one another than the memory plan of a graph counts on. Measured with
 * TensorFlow 2.21 on Linux x64, over seven steps of hidden 192 and 576 with 256 to 2,048 tokens: half again.
 */
export const INTERMEDIATES = 1.5;

/** Outputs come in fresh memory. */
export const outputBytes = ({ outputs, types }: Graph): number =>
  outputs.reduce((sum, { value }) => {
    const type = types[value];
    return sum + (type === undefined ? 0 : bytesOf(type));
  }, 0);

export const workingBytes = (graph: Graph): number =>
  Math.ceil(INTERMEDIATES * transientBytes(graph)) + outputBytes(graph);
