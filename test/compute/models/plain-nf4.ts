import { NF4_BLOCK } from '../../../src/compute/models/weights/formats.js';
import { NF4_CODE } from '../../../src/compute/models/weights/nf4-codes.js';
import {
  type DoubleNf4,
  type Nf4Data,
  type Nf4Options,
  quantiseNf4,
} from '../../../src/compute/models/weights/nf4-quantise.js';
import { dequantiseConstants } from '../../../src/compute/models/weights/nf4-tensor.js';

/** Quantises values that are in memory. */
export const quantiseValues = (values: Float32Array, options?: Nf4Options): DoubleNf4 =>
  quantiseNf4(values.length, (start, out) => out.set(values.subarray(start, start + out.length)), options);

/** Dequantises `out.length` weights from `start` on (any position): the oracle of the WebAssembly kernel. */
export function dequantiseNf4Plain(data: Nf4Data, start: number, out: Float32Array): void {
  const firstBlock = Math.floor(start / NF4_BLOCK);
  const absmax = new Float32Array(Math.ceil((start + out.length) / NF4_BLOCK) - firstBlock);
  dequantiseConstants(data, firstBlock, absmax);
  for (let i = 0; i < out.length; i++) {
    const at = start + i;
    const pair = data.codes[at >> 1] as number;
    const code = at % 2 === 0 ? pair >> 4 : pair & 15;
    out[i] = (NF4_CODE[code] as number) * (absmax[Math.floor(at / NF4_BLOCK) - firstBlock] as number);
  }
}
