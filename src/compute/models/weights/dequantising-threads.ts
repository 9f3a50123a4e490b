/** What other threads take over of dequantising: codes in shared memory, and memory that is handed to them to be filled. */
import type { Tiling } from './dequantisation.js';
import type { SharedNf4 } from './nf4-quantise.js';
import { dequantiseNf4, dequantiseTiledNf4 } from './nf4-tensor.js';

/** Codes, and how many values they are of. */
export interface CodedValues {
  readonly data: SharedNf4;
  readonly length: number;
  /** Default: row by row. */
  readonly tiling?: Tiling | undefined;
}

/** A thread that dequantises next to this one. */
export interface DequantisingThread {
  /** Fills memory, which is not this thread's until then, with tensors one after another; `undefined` where the thread is lost. */
  dequantise(
    tensors: readonly CodedValues[],
    values: Float32Array<ArrayBuffer>,
  ): Promise<Float32Array<ArrayBuffer> | undefined>;
  end(): Promise<void>;
}

/** Dequantises tensors into memory, one after another. */
export function dequantiseAll(
  tensors: readonly CodedValues[],
  values: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  let end = 0;
  for (const { data, length, tiling } of tensors) {
    const out = values.subarray(end, end + length);
    end += length;
    if (tiling === undefined) dequantiseNf4(data, 0, out);
    else dequantiseTiledNf4(data, tiling, out);
  }
  return values;
}
