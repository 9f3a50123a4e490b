import { NF4_KERNEL } from './kernels.generated.js';
import { NF4_CODE } from './nf4-codes.js';
import { decodeConstants } from './nf4-decode.js';
import type { Nf4Data } from './nf4-quantise.js';
import { NF4_BLOCK } from './sizes.js';
import { startModule } from './webassembly.js';

/** Blocks of one call: 128 KiB of floats, so that codes and result stay in the second-level cache. */
const CALL_BLOCKS = 512;
const CODE_BYTES = NF4_BLOCK / 2;

interface Kernel {
  readonly codes: Uint8Array;
  readonly absmax: Float32Array;
  readonly out: Float32Array;
  run(blocks: number): void;
}

type DecodeExport = (codes: number, absmax: number, out: number, blocks: number, planes: number) => void;

let kernel: Kernel | undefined;

/** The kernel and its windows into WebAssembly memory; one a process, made on first use. */
function loadKernel(): Kernel {
  if (kernel !== undefined) return kernel;
  const exports = startModule(NF4_KERNEL);
  const { buffer } = exports['memory'] as { readonly buffer: ArrayBuffer };
  const decode = exports['decode'] as DecodeExport;
  const planes = 0;
  const codes = planes + 64;
  const absmax = codes + CALL_BLOCKS * CODE_BYTES;
  const out = absmax + CALL_BLOCKS * 4;
  const bytes = new Uint8Array(NF4_CODE.buffer);
  const table = new Uint8Array(buffer, planes, 64);
  for (let at = 0; at < 64; at++) table[(at % 4) * 16 + (at >> 2)] = bytes[at] as number;
  kernel = {
    codes: new Uint8Array(buffer, codes, CALL_BLOCKS * CODE_BYTES),
    absmax: new Float32Array(buffer, absmax, CALL_BLOCKS),
    out: new Float32Array(buffer, out, CALL_BLOCKS * NF4_BLOCK),
    run: (blocks) => decode(codes, absmax, out, blocks, planes),
  };
  return kernel;
}

/** Decodes `out.length` weights from `start` on (any position) with SIMD; equal to `decodeNf4Plain` bit for bit. */
export function decodeNf4(data: Nf4Data, start: number, out: Float32Array): void {
  const { codes, absmax, out: decoded, run } = loadKernel();
  const end = start + out.length;
  const endBlock = Math.ceil(end / NF4_BLOCK);
  for (let block = Math.floor(start / NF4_BLOCK); block < endBlock; block += CALL_BLOCKS) {
    const blocks = Math.min(CALL_BLOCKS, endBlock - block);
    codes.set(data.codes.subarray(block * CODE_BYTES, (block + blocks) * CODE_BYTES));
    decodeConstants(data, block, absmax.subarray(0, blocks));
    run(blocks);
    const from = Math.max(start, block * NF4_BLOCK);
    const to = Math.min(end, (block + blocks) * NF4_BLOCK);
    out.set(decoded.subarray(from - block * NF4_BLOCK, to - block * NF4_BLOCK), from - start);
  }
}
