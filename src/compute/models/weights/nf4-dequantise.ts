import { dequantiseCalls } from './dequantisation.js';
import { DYNAMIC_CODE } from './nf4-codes.js';
import type { Nf4Data } from './nf4-quantise.js';
import { NF4_BLOCK, NF4_NESTED_BLOCK } from './sizes.js';

const CODE_BYTES = NF4_BLOCK / 2;

/** Absmax of blocks `first … first + out.length - 1`, rounded as bitsandbytes rounds it. */
export function dequantiseConstants(data: Nf4Data, first: number, out: Float32Array): void {
  if ('absmax' in data) {
    out.set(data.absmax.subarray(first, first + out.length));
    return;
  }
  const { constants, scales, offset } = data;
  const end = first + out.length;
  for (let at = first; at < end; ) {
    const scale = scales[Math.floor(at / NF4_NESTED_BLOCK)] as number;
    const stop = Math.min(end, (Math.floor(at / NF4_NESTED_BLOCK) + 1) * NF4_NESTED_BLOCK);
    for (; at < stop; at++)
      out[at - first] = Math.fround((DYNAMIC_CODE[constants[at] as number] as number) * scale) + offset;
  }
}

/** Dequantises `out.length` weights from `start` on (any position) with SIMD. */
export function dequantiseNf4(data: Nf4Data, start: number, out: Float32Array): void {
  dequantiseCalls(NF4_BLOCK, start, out, (memory, block, count, to) => {
    memory.raw.set(data.codes.subarray(block * CODE_BYTES, (block + count) * CODE_BYTES));
    dequantiseConstants(data, block, memory.absmax.subarray(0, count));
    memory.nf4(count, to);
  });
}
