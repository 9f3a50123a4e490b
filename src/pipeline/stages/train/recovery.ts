import { entriesOfPiece } from '../../../compute/models/decoder/vocabulary.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { Call } from '../../../language/ir/types.js';
import type { TrainSettings } from '../../../language/schemas/stages/train.js';
import { type Chosen, hasFactors } from '../../../language/schemas/types.js';
import { isPaged } from './settings.js';

export interface Recovery {
  readonly chosen: Chosen;
  /** What is different, by the names of the choice. */
  readonly change: Partial<Omit<Chosen, 'method'>>;
}

/**
 * The next thing to try when a step ran out of memory, in this order: decode the base in every pass; move all of a paged
 * optimiser state to its file; halve the micro batch; recompute attention weights, then MLPs, then twice as many blocks;
 * halve the tokens of the head's chunks; compute a part of the vocabulary at a time; leave the base in its files. Each computes the same sum in another order (under
 * dropout, a smaller micro batch draws other masks of the same distribution), so training can continue from its last
 * checkpoint. `undefined` when nothing is left; what would change the result is for the planner to decide.
 */
export function recover(
  chosen: Chosen,
  settings: Pick<TrainSettings, 'batch' | 'fallback' | 'optimizer'>,
  config: Pick<ModelConfig, 'layers' | 'vocabSize' | 'hiddenSize' | 'labels'>,
): Recovery | undefined {
  if (chosen.decodedOnce) return changed(chosen, { decodedOnce: false });
  if (isPaged(settings) && chosen.stateInFile !== 1) return changed(chosen, { stateInFile: 1 });
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
    const { recomputedMlps = 0, recomputedShares = 0 } = chosen;
    if (Math.max(recomputedShares, recomputedMlps) < layers)
      return changed(chosen, { recomputedShares: layers });
    if (recomputedMlps < layers) return changed(chosen, { recomputedMlps: layers });
  }
  if (chosen.checkpointedBlocks < blocks) {
    return changed(chosen, {
      checkpointedBlocks: Math.min(layers, Math.max(1, chosen.checkpointedBlocks * 2)),
    });
  }
  if (chosen.headChunk > SMALLEST_HEAD) {
    return changed(chosen, { headChunk: Math.max(SMALLEST_HEAD, Math.floor(chosen.headChunk / 2)) });
  }
  const headEntries = hasFactors(method) ? entriesOfPiece(config) : undefined;
  if (headEntries !== undefined && chosen.headEntries === undefined) return changed(chosen, { headEntries });
  if ((method === 'lora' || method === 'head') && !chosen.paged) return changed(chosen, { paged: true });
  return undefined;
}

/** Fewer tokens than this save nothing worth having. */
const SMALLEST_HEAD = 16;

/** A micro batch that the author set is kept unless the file says that it may shrink. */
function mayShrink({ batch, fallback }: Pick<TrainSettings, 'batch' | 'fallback'>): boolean {
  return batch.micro === undefined || fallback.some(({ call }: Call) => call === 'smaller_micro_batch');
}

function changed(chosen: Chosen, change: Recovery['change']): Recovery {
  return { chosen: { ...chosen, ...change }, change };
}
