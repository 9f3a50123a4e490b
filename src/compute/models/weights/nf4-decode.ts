import { DYNAMIC_CODE, NF4_CODE } from './nf4-codes.js';
import type { Nf4Data } from './nf4-quantise.js';
import { NF4_BLOCK, NF4_NESTED_BLOCK } from './sizes.js';

/** Absmax of blocks `first … first + out.length - 1`, rounded as bitsandbytes rounds it. */
export function decodeConstants(data: Nf4Data, first: number, out: Float32Array): void {
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

/** The plain decode of `out.length` weights from `start` on (any position): the oracle of the WebAssembly kernel. */
export function decodeNf4Plain(data: Nf4Data, start: number, out: Float32Array): void {
  const firstBlock = Math.floor(start / NF4_BLOCK);
  const absmax = new Float32Array(Math.ceil((start + out.length) / NF4_BLOCK) - firstBlock);
  decodeConstants(data, firstBlock, absmax);
  for (let i = 0; i < out.length; i++) {
    const at = start + i;
    const pair = data.codes[at >> 1] as number;
    const code = at % 2 === 0 ? pair >> 4 : pair & 15;
    out[i] = (NF4_CODE[code] as number) * (absmax[Math.floor(at / NF4_BLOCK) - firstBlock] as number);
  }
}
