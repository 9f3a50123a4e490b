/** What the shorter rows of a training take beyond the longest. */
import { LONG_REACH } from '../../../compute/models/decoder/graphs.js';
import type { DecoderPlanOptions } from '../../../compute/models/decoder/types.js';
import type { PlanDecoder } from './plan-decoder.js';
import { longestBelow, type SessionInput } from './sessions.js';

/**
 * Bytes of probabilities that rows save whose attention does not go in tiles, where that of the longest does, which `shape` is of: they are in
 * buffers of their own, and a buffer is as long as its largest use.
 */
export function probabilitiesOfShorter(
  planDecoder: PlanDecoder,
  shape: DecoderPlanOptions,
  graphs: SessionInput,
): number {
  const length = shape.length < LONG_REACH ? undefined : longestBelow(graphs, LONG_REACH);
  if (length === undefined) return 0;
  const saved = (of: DecoderPlanOptions): number =>
    planDecoder(of).parts.activations -
    planDecoder({ ...of, recomputedAttention: of.config.layers }).parts.activations;
  return Math.max(0, saved({ ...shape, length }) - saved(shape));
}
