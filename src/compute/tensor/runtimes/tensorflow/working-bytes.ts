/** What a function of TensorFlow takes while it runs, besides the tensors that it is given. */
import { transientBytes } from '../../liveness.js';
import { bytesOf } from '../../shape.js';
import type { Graph } from '../../types.js';

/** Outputs come in fresh memory. */
export const outputBytes = ({ outputs, types }: Graph): number =>
  outputs.reduce((sum, { value }) => {
    const type = types[value];
    return sum + (type === undefined ? 0 : bytesOf(type));
  }, 0);

/**
 * Intermediates are those of the memory plan, whose order nodes run in: over 120 blocks of hidden 192 and 576 with 512 to 2,048 tokens,
 * TensorFlow's allocator had 0.5 to 0.95 of them at most besides outputs, into which it writes some.
 */
export const workingBytes = (graph: Graph): number => transientBytes(graph) + outputBytes(graph);
