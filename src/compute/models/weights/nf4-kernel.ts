import { decodeCalls } from './decoding.js';
import { decodeConstants } from './nf4-decode.js';
import type { Nf4Data } from './nf4-quantise.js';
import { NF4_BLOCK } from './sizes.js';

const CODE_BYTES = NF4_BLOCK / 2;

/** Decodes `out.length` weights from `start` on (any position) with SIMD; equal to `decodeNf4Plain` bit for bit. */
export function decodeNf4(data: Nf4Data, start: number, out: Float32Array): void {
  decodeCalls(NF4_BLOCK, start, out, (memory, block, count, to) => {
    memory.raw.set(data.codes.subarray(block * CODE_BYTES, (block + count) * CODE_BYTES));
    decodeConstants(data, block, memory.absmax.subarray(0, count));
    memory.nf4(count, to);
  });
}
