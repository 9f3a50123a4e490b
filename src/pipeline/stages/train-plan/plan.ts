import type { Sharding } from '../../../language/ir/engines.js';
import type { Method } from '../../../language/schemas/methods.js';

/** What the planner decides for a train stage; other kinds leave it nothing to decide. The table of freedoms says what each is. */
export interface TrainPlan {
  readonly method: Method;
  readonly microBatch: number;
  readonly accumulation: number;
  readonly maxLength: number;
  readonly rank: number;
  readonly alpha: number;
  readonly checkpointedBlocks: number;
  readonly recomputedMlps?: number;
  readonly recomputedAttention?: number;
  readonly pagedWeights?: boolean;
  readonly materialised?: boolean;
  readonly logitsChunk: number;
  readonly vocabularyShard?: number;
  readonly offloadedState?: number;
  readonly sharding?: Sharding;
  readonly cpuOffload?: boolean;
}

/** `global`: rows of a step, or sequences of them. */
export const withMicro = (plan: TrainPlan, microBatch: number, global: number): TrainPlan => ({
  ...plan,
  microBatch,
  accumulation: Math.ceil(global / microBatch),
});

/** Divisors of a number, the largest first. */
export function divisors(number: number): readonly number[] {
  const found: number[] = [];
  for (let small = 1; small * small <= number; small++) {
    if (number % small !== 0) continue;
    found.push(small);
    if (small * small !== number) found.push(number / small);
  }
  return found.sort((a, b) => b - a);
}

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
