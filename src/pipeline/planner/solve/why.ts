/** Why an alternative was not taken, in words with numbers. */
import { counted } from '../../../language/diagnostics/make.js';
import type { TrainPlan } from '../../../language/schemas/types.js';
import { largestPart } from '../memory/parts.js';
import { bytes } from '../quantities.js';
import { availableText, fitsIn, type Room, refusedText, tighter } from '../room.js';
import type { Peak } from '../types.js';
import type { StepName } from './ladder.js';

export function whyTooLarge(peak: Peak, room: Room): string {
  if (peak.refused !== undefined) return refusedText(peak.refused);
  const tight = tighter(peak, room);
  const { needs, available } = tight;
  const { part, bytes: size } = largestPart(needs.parts);
  return `needs ${bytes(needs.high - available)} more than the ${availableText(tight)}; largest part: ${part}, ${bytes(size)}`;
}

const STEP_TEXT: Readonly<Record<StepName, (chosen: TrainPlan) => string>> = {
  decode_each_pass: () => 'with the base decoded in every pass',
  smaller_logits_chunk: ({ logitsChunk }) => `with the logits of ${logitsChunk} tokens at a time`,
  offload_state: () => 'with the optimiser state in a file',
  smaller_micro_batch: ({ microBatch }) => `down to ${counted(microBatch, 'row')} at a time`,
  checkpointing: ({ checkpointedBlocks }) => `with all ${checkpointedBlocks} blocks recomputed`,
  vocabulary_shards: ({ vocabularyShard }) =>
    `with the logits of ${vocabularyShard} tokens of the vocabulary at a time`,
  qlora: () => 'with the base in 4 bits',
  paged_weights: () => 'with the base read one block at a time',
  shorten: ({ maxLength }) => `with rows of at most ${maxLength} tokens`,
  lower_rank: ({ rank }) => `with rank ${rank}`,
};

export const describeStep = (step: StepName, chosen: TrainPlan): string => STEP_TEXT[step](chosen);

export function whyOtherMethod(
  other: TrainPlan,
  peak: Peak,
  room: Room,
  chosen: TrainPlan['method'],
): string {
  if (!fitsIn(peak, room)) return whyTooLarge(peak, room);
  if (other.method === 'full') return 'fits, but trains every weight: only with `using full`';
  if (other.method === 'qlora')
    return chosen === 'full'
      ? 'fits, but trains an adapter: only with `using qlora`'
      : 'fits, but quantises the base to 4 bits: chosen only if the base as stored does not fit';
  return chosen === 'qlora'
    ? 'fits, but the file asks for `qlora`'
    : 'fits, but trains an adapter: only with `using lora`';
}
