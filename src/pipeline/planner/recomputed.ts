/** What a choice recomputes, in words. */
import type { TrainPlan } from '../../language/schemas/types.js';

type Recomputed = Pick<TrainPlan, 'checkpointedBlocks' | 'recomputedMlps' | 'recomputedAttention'>;

/** Blocks of which all is recomputed, the MLP and the softmax, and the softmax alone, as they are called. */
function parts(chosen: Recomputed): readonly (readonly [count: number, one: string, many: string])[] {
  const { checkpointedBlocks: blocks, recomputedMlps = 0, recomputedAttention = 0 } = chosen;
  const mlps = Math.max(recomputedMlps, blocks);
  return [
    [blocks, 'block', 'blocks'],
    [mlps - blocks, 'MLP', 'MLPs'],
    [Math.max(recomputedAttention, mlps) - mlps, 'softmax', 'softmaxes'],
  ];
}

/** `3 blocks and 9 MLPs` */
export function recomputedText(chosen: Recomputed): string {
  const named = parts(chosen)
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => `${count} ${count === 1 ? one : many}`);
  return named.length === 0 ? '0 blocks' : named.join(' and ');
}

/** The same for a table, whose column says what is counted: `3`, or `3 blocks and 9 MLPs`. */
export const recomputedCell = (chosen: Recomputed): string =>
  parts(chosen).some(([count], index) => index > 0 && count > 0)
    ? recomputedText(chosen)
    : String(chosen.checkpointedBlocks);

export const recomputesSomething = (chosen: Recomputed): boolean =>
  parts(chosen).some(([count]) => count > 0);
