import { entriesOfPiece } from '../../../compute/models/decoder/vocabulary.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { Call } from '../../../language/ir/types.js';
import type { TrainSettings } from '../../../language/schemas/stages/train.js';
import { hasFactors, type TrainPlan } from '../../../language/schemas/types.js';
import { isPaged } from './loop-settings.js';

export interface Recovery {
  readonly chosen: TrainPlan;
  /** What is different, by the names of the choice. */
  readonly change: Partial<Omit<TrainPlan, 'method'>>;
}

/**
 * The next thing to try when a step ran out of memory, in this order: decode the base in every pass; move all of a paged
 * optimiser state to its file; halve the micro batch; recompute attention weights, then MLPs, then twice as many blocks;
 * halve the tokens of the head's chunks; compute a part of the vocabulary at a time; leave the base in its files. Each computes the same sum in another order (under
 * dropout, a smaller micro batch draws other masks of the same distribution), so training can continue from its last
 * checkpoint. `undefined` when nothing is left; what would change the result is for the planner to decide.
 */
export function recover(
  chosen: TrainPlan,
  settings: Pick<TrainSettings, 'batch' | 'fallback' | 'optimizer'>,
  config: Pick<ModelConfig, 'layers' | 'vocabSize' | 'hiddenSize' | 'labels'>,
): Recovery | undefined {
  if (chosen.materialised) return changed(chosen, { materialised: false });
  if (isPaged(settings) && chosen.offloadedState !== 1) return changed(chosen, { offloadedState: 1 });
  if (chosen.microBatch > 1 && mayShrink(settings)) {
    const microBatch = Math.floor(chosen.microBatch / 2);
    // fewer sequences than rows where rows are packed
    const parts = Math.min(settings.batch.global, chosen.microBatch * chosen.accumulation);
    return changed(chosen, { microBatch, accumulation: Math.ceil(parts / microBatch) });
  }
  const { method } = chosen;
  const { layers } = config;
  // nothing goes back through the blocks of a frozen base
  const blocks = method === 'head' ? 0 : layers;
  if (chosen.checkpointedBlocks === 0 && blocks > 0) {
    const { recomputedMlps = 0, recomputedAttention = 0 } = chosen;
    if (Math.max(recomputedAttention, recomputedMlps) < layers)
      return changed(chosen, { recomputedAttention: layers });
    if (recomputedMlps < layers) return changed(chosen, { recomputedMlps: layers });
  }
  if (chosen.checkpointedBlocks < blocks) {
    return changed(chosen, {
      checkpointedBlocks: Math.min(layers, Math.max(1, chosen.checkpointedBlocks * 2)),
    });
  }
  if (chosen.logitsChunk > SMALLEST_HEAD) {
    return changed(chosen, { logitsChunk: Math.max(SMALLEST_HEAD, Math.floor(chosen.logitsChunk / 2)) });
  }
  const vocabularyShard = hasFactors(method) ? entriesOfPiece(config) : undefined;
  if (vocabularyShard !== undefined && chosen.vocabularyShard === undefined)
    return changed(chosen, { vocabularyShard });
  if ((method === 'lora' || method === 'head') && !chosen.pagedWeights)
    return changed(chosen, { pagedWeights: true });
  return undefined;
}

/** Fewer tokens than this save nothing worth having. */
const SMALLEST_HEAD = 16;

/** A micro batch that the author set is kept unless the file says that it may shrink. */
function mayShrink({ batch, fallback }: Pick<TrainSettings, 'batch' | 'fallback'>): boolean {
  return batch.micro === undefined || fallback.some(({ call }: Call) => call === 'smaller_micro_batch');
}

function changed(chosen: TrainPlan, change: Recovery['change']): Recovery {
  return { chosen: { ...chosen, ...change }, change };
}
