import { defaulted, type FunctionSchema, t } from '../schema.js';

/** What the planner may change when a train stage does not fit. The first three cannot change the result. */
export const fallbacks = {
  checkpointing: {
    family: 'fallback',
    doc: 'Recompute blocks in the backward pass instead of saving their activations.',
    positional: [],
    args: {},
  },
  smaller_micro_batch: {
    family: 'fallback',
    doc: 'Compute fewer rows at a time and accumulate; the global batch stays the same.',
    positional: [],
    args: {},
  },
  paged_weights: {
    family: 'fallback',
    doc: 'Read the base from its files one block at a time instead of keeping it in memory; slow on a slow disk.',
    positional: [],
    args: {},
  },
  cpu_offload: {
    family: 'fallback',
    doc: 'Keep shards of the model in the memory of the machine while their GPU does not need them; slow. Of the accelerate engine.',
    positional: [],
    args: {},
  },
  qlora: { family: 'fallback', doc: 'Quantise the base to 4 bits.', positional: [], args: {} },
  shorten: {
    family: 'fallback',
    doc: 'Lower the maximum length, and drop longer rows.',
    positional: [],
    args: { min: defaulted(t.quantity('tokens', { min: 8 }), 256, 'Shortest limit allowed.') },
  },
  lower_rank: {
    family: 'fallback',
    doc: 'Halve the rank; alpha ÷ rank stays the same.',
    positional: [],
    args: { min: defaulted(t.integer({ min: 1 }), 8, 'Lowest rank allowed.') },
  },
} as const satisfies Record<string, FunctionSchema>;
