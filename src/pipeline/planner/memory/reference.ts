/** What asking another model than the base takes, which is let go of before anything is trained. */
import { paddedLength } from '../../../compute/training/batch.js';
import type { TrainPlan } from '../../stages/train-plan/plan.js';
import type { Peak } from '../plan-json.js';
import { READER_PROCESS } from './calibration.js';
import { forwardPeak } from './evaluate.js';
import { longestRow, supervisedTokens, type TrainMemory } from './train.js';

/**
 * Texts are asked in micro batches, each by itself; the process is that of an evaluation, as no backward pass is compiled. Measured:
 * 465 MB of 474 MB planned, for 352 MB of weights next to a base of 30 MB. `undefined` where the base is the reference, or there is none.
 */
export function referencePeak(memory: TrainMemory, plan: TrainPlan): Peak | undefined {
  const { reference } = memory;
  if (reference === undefined) return undefined;
  const apart = textsApart(memory);
  const other = reference(plan.pagedWeights === true ? 'paged' : 'stored');
  const rows = Math.min(plan.microBatch, Math.max(1, memory.lengths.rows));
  const length = paddedLength(longestRow(apart, plan), other.config.maxPositions);
  return forwardPeak(other, {
    ...{ rows, length, wider: 1, process: READER_PROCESS, tokenizer: 'before weights' },
    supervised: supervisedTokens(apart, plan, rows * length),
    logitsChunk: plan.logitsChunk,
    inShards: plan.vocabularyShard !== undefined,
  });
}

/** Another model is asked of each text by itself, also where the base computes the prompt of a pair once. */
const textsApart = <M extends Pick<TrainMemory, 'preferences'>>(memory: M): M =>
  memory.preferences === undefined
    ? memory
    : { ...memory, preferences: { ...memory.preferences, sharesPrompts: false } };
