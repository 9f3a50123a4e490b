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
}
