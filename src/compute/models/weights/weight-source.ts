import type { StoredTensor } from '../types.js';
import type { StoredFormat } from './formats.js';

/** A tensor in a file of any format, not yet read. */
export interface SourceTensor {
  readonly name: string;
  /** The file that holds it. */
  readonly path: string;
  readonly shape: readonly number[];
  /** The format in which it is held when it is stored as it is. Throws a {@link ModelError} for one that can't be read. */
  format(): StoredFormat;
  /** Values `start … start + count` as float32, row-major. */
  read(start: number, count: number): Float32Array;
  /** Reads it in the format that it has in the file. */
  load(): StoredTensor;
}

/** A model's tensors by their Hugging Face names. */
export type WeightSource = ReadonlyMap<string, SourceTensor>;
