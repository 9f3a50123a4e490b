import { sizeOf } from '../../tensor/shape.js';

/** Values and bytes per block of each format; a tensor's bytes are its blocks, one after the other. */
export const BLOCKS = {
  F32: { values: 1, bytes: 4 },
  F16: { values: 1, bytes: 2 },
  BF16: { values: 1, bytes: 2 },
  Q4_0: { values: 32, bytes: 18 },
  Q4_1: { values: 32, bytes: 20 },
  Q5_0: { values: 32, bytes: 22 },
  Q5_1: { values: 32, bytes: 24 },
  Q8_0: { values: 32, bytes: 34 },
  Q4_K: { values: 256, bytes: 144 },
  Q5_K: { values: 256, bytes: 176 },
  Q6_K: { values: 256, bytes: 210 },
} as const satisfies Readonly<Record<string, { readonly values: number; readonly bytes: number }>>;

export type BlockFormat = keyof typeof BLOCKS;

/** NF4 keeps codes and constants apart; in `NF4_SINGLE` the constants are float32, without double quantisation. */
export type StoredFormat = BlockFormat | 'NF4' | 'NF4_SINGLE';

/** Weights that share one absmax, and absmax values that share one scale (QLoRA, https://arxiv.org/abs/2305.14314, section 3). */
export const NF4_BLOCK = 64;
export const NF4_NESTED_BLOCK = 256;

/**
 * Bytes that a tensor holds in memory once it is loaded: the planner's figure and `StoredTensor.residentBytes`. The tables
 * that every NF4 tensor shares are not counted: they exist once per process.
 */
export function storedBytes(shape: readonly number[], format: StoredFormat): number {
  const elements = sizeOf(shape);
  const [codes, constants] = [Math.ceil(elements / 2), Math.ceil(elements / NF4_BLOCK)];
  if (format === 'NF4') return codes + constants + Math.ceil(constants / NF4_NESTED_BLOCK) * 4 + 4;
  if (format === 'NF4_SINGLE') return codes + constants * 4;
  const { values, bytes } = BLOCKS[format];
  return (elements / values) * bytes;
}
