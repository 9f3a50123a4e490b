/** What other threads take over of dequantising: codes in shared memory, and memory that is handed to them to be filled. */
import type { SharedNf4 } from './nf4-quantise.js';
import { dequantiseNf4 } from './nf4-tensor.js';

/** Codes, and how many values they are of. */
export interface CodedValues {
  readonly data: SharedNf4;
  readonly length: number;
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
  for (const { data, length } of tensors) {
    const start = end;
    end += length;
    dequantiseNf4(data, 0, values.subarray(start, end));
  }
  return values;
}
