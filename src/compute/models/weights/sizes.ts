import { BLOCKS, type StoredFormat } from './formats.js';

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Weights that share one absmax, and absmax values that share one scale (QLoRA, https://arxiv.org/abs/2305.14314, section 3). */
export const NF4_BLOCK = 64;
export const NF4_NESTED_BLOCK = 256;

/** Entries of the tables that every NF4 tensor shares are not counted: they exist once a process. */
function nf4Bytes(elements: number): number {
  const blocks = Math.ceil(elements / NF4_BLOCK);
  return Math.ceil(elements / 2) + blocks + Math.ceil(blocks / NF4_NESTED_BLOCK) * 4 + 4;
}

/** Bytes that a tensor holds in memory once it is loaded: the planner's figure and `StoredTensor.residentBytes`. */
export function storedBytes(shape: readonly number[], format: StoredFormat): number {
  const elements = elementCount(shape);
  if (format === 'NF4') return nf4Bytes(elements);
  if (format === 'NF4_SINGLE') return Math.ceil(elements / 2) + Math.ceil(elements / NF4_BLOCK) * 4;
  const { values, bytes } = BLOCKS[format];
  return (elements / values) * bytes;
}
