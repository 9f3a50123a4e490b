/** Positions that go through the head together, in tensors of few sizes, so that few graphs are compiled. */
import type { HostTensor } from '../../tensor/types.js';

const SMALLEST = 16;

/** Positions that a chunk of `count` is padded to. */
export function chunkSize(count: number, most: number, least = SMALLEST): number {
  let size = least;
  while (size < count) size *= 2;
  return Math.min(size, Math.max(most, 1));
}

export interface Chunk {
  readonly size: number;
  /** Position of the first element in the list, and how many of the chunk are real. */
  readonly start: number;
  readonly count: number;
}

export function chunksOf(total: number, most: number, least = SMALLEST): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0; start < total; start += most) {
    const count = Math.min(most, total - start);
    chunks.push({ size: chunkSize(count, most, least), start, count });
  }
  return chunks;
}

export const positionsOf = (positions: readonly number[], { start, count }: Chunk): readonly number[] =>
  positions.slice(start, start + count);

/** With zeros from an element on. */
export function cleared<T extends HostTensor>(tensor: T, from: number): T {
  (tensor.data as Float32Array | Int32Array).fill(0, from);
  return tensor;
}
