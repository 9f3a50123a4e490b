import type { OptimizerMemory } from '../../../src/compute/accelerate/memory/training.js';

/** What optimisers keep for parameters of so many bytes each. */
export const OPTIMIZERS = {
  /** Two moments in the parameters' type; `foreach` makes a temporary as large as all parameters. */
  adamw: (width) => ({ state: 2 * width, temporary: width }),
  'adamw fused': (width) => ({ state: 2 * width, temporary: 0 }),
  /** One parameter at a time, as transformers' own once did. */
  'adamw loop': (width) => ({ state: 2 * width, temporary: 0 }),
  /** Moments in 8 bits, with a float32 per 256 each (Dettmers et al. 2022, arXiv 2110.02861). */
  adamw8bit: () => ({ state: 2 + 8 / 256, temporary: 0 }),
  /** The state is in the host's memory while there is no room. */
  paged: () => ({ state: 0, temporary: 0 }),
  'paged in backward': () => ({ state: 0, temporary: 0, isInBackward: true }),
  /** Row and column sums; the update of one parameter at a time. */
  adafactor: () => ({ state: 0.01, temporary: 0 }),
  sgd: (width) => ({ state: width, temporary: width }),
  /**
   * Float32 weights and two moments next to parameters in 16 bits, and float32 gradients of 1e9 numbers at a time
   * (`sub_group_size`).
   */
  deepspeed: () => ({ state: 8, temporary: 4, mostTemporary: 4e9, master: 4 }),
  /** Float32 weights, which are sharded, and two moments; products in 16 bits. */
  'adamw float32': () => ({ state: 8, temporary: 4 }),
} as const satisfies Readonly<Record<string, (width: number) => OptimizerMemory>>;
export type OptimizerName = keyof typeof OPTIMIZERS;
