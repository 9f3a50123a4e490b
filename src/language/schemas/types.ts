/** How a train stage trains. */

/** How a base is trained: LoRA, LoRA over a 4-bit base, every weight, or only a classification head. */
export const METHODS = ['lora', 'qlora', 'full', 'head'] as const;
export type Method = (typeof METHODS)[number];

export const isMethod = (value: unknown): value is Method => (METHODS as readonly unknown[]).includes(value);

/** Whether the method trains low-rank factors, so that rank and alpha mean something. */
export const hasFactors = (method: string | undefined): boolean => method !== 'full' && method !== 'head';

/** What the planner chose for a train stage; other kinds leave it nothing to choose. */
export interface TrainPlan {
  readonly method: Method;
  readonly microBatch: number;
  /** Micro batches of one optimiser step. */
  readonly accumulation: number;
  /** Longest row in tokens; longer rows are dropped and reported. */
  readonly maxLength: number;
  readonly rank: number;
  readonly alpha: number;
  /** Blocks, from the first on, that are recomputed whole in the backward pass. Does not change results. */
  readonly checkpointedBlocks: number;
  /** Blocks that recompute at least their MLP; default: `checkpointedBlocks`. Does not change results. */
  readonly recomputedMlps?: number;
  /** Blocks that recompute at least their attention weights; default: `recomputedMlps`. Does not change results. */
  readonly recomputedAttention?: number;
  /** Read the base from its files, one block at a time, instead of keeping it in memory. Does not change results. */
  readonly pagedWeights?: boolean;
  /** Hold the base as float32 and decode it once, not in every pass. Does not change results. */
  readonly materialised?: boolean;
  /** Tokens whose logits are computed at a time. */
  readonly logitsChunk: number;
  /** Entries of the vocabulary whose logits are computed at a time; default: all. */
  readonly vocabularyShard?: number;
  /** Share of a paged optimiser's state that is kept in a file, above 0 and up to 1; default: all of it is in memory. */
  readonly offloadedState?: number;
}
