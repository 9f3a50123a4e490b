import type { Tensor, Tensors } from '../../tensor/types.js';

/**
 * Keys and values of every layer, from token to token of a generation, `[rows·groups, size, dim]` each: arrays of the
 * host, or tensors that stay where the runtime computes. Tokens of a prefix, if there is one, are before those of the texts.
 */
export interface Caches {
  /** Positions that each row has room for: 0 before the first {@link grow}. */
  readonly size: number;
  grow(size: number): Promise<void>;
  /**
   * Takes the keys and values `[rows·groups, length, dim]` of the prompts, of which row r has `counts[r]`; what lies after
   * is hidden until a token takes its place.
   */
  fill(layer: number, keys: Tensor, values: Tensor, counts: readonly number[]): Promise<void>;
  /** Whether step graphs append, and give the caches with their token in them. */
  readonly appends: boolean;
  /** What a layer's step graph reads and gives, for rows of these lengths. */
  inputs(layer: number, lengths: Int32Array): Tensors;
  outputs(layer: number): Tensors;
  /** After a run of the step graph: its token is in the cache. */
  append(layer: number, lengths: Int32Array): void;
  /** Goes on with these rows alone, which ascend. */
  keep(rows: readonly number[]): Promise<void>;
  release(): void;
}
