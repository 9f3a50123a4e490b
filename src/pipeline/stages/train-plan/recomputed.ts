/** What a plan recomputes, in words. */
import type { TrainPlan } from './plan.js';

type Recomputation = Pick<TrainPlan, 'checkpointedBlocks' | 'recomputedMlps' | 'recomputedAttention'>;

/** Blocks of which all is recomputed, the MLP and the softmax, and the softmax alone, as they are called. */
function parts(plan: Recomputation): readonly (readonly [count: number, one: string, many: string])[] {
  const { checkpointedBlocks: blocks, recomputedMlps = 0, recomputedAttention = 0 } = plan;
  const mlps = Math.max(recomputedMlps, blocks);
  return [
    [blocks, 'block', 'blocks'],
    [mlps - blocks, 'MLP', 'MLPs'],
    [Math.max(recomputedAttention, mlps) - mlps, 'softmax', 'softmaxes'],
  ];
}

/** `3 blocks and 9 MLPs` */
export function recomputedText(plan: Recomputation): string {
  const named = parts(plan)
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => `${count} ${count === 1 ? one : many}`);
  return named.length === 0 ? '0 blocks' : named.join(' and ');
}

/** The same for a table, whose column says what is counted: `3`, or `3 blocks and 9 MLPs`. */
export const recomputedCell = (plan: Recomputation): string =>
  parts(plan).some(([count], index) => index > 0 && count > 0)
    ? recomputedText(plan)
    : String(plan.checkpointedBlocks);

export const recomputesSomething = (plan: Recomputation): boolean => parts(plan).some(([count]) => count > 0);
