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
  /** Decodes what stands in `codes` and `absmax`; `to` is a position in the kernel's memory, in bytes. */
  run(blocks: number, to: number): void;
}

type DecodeExport = (codes: number, absmax: number, out: number, blocks: number, planes: number) => void;

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const PLANES = 0;
const CODES = PLANES + 64;
const ABSMAX = CODES + CALL_BLOCKS * CODE_BYTES;
const OUT = ABSMAX + CALL_BLOCKS * 4;
const PAGE = 65_536;

/** A kernel and its windows into its memory, the last of them for `floats` results. */
function startKernel(floats: number): Kernel {
  const exports = startModule(NF4_KERNEL);
  const memory = exports['memory'] as Memory;
  const decode = exports['decode'] as DecodeExport;
  const missing = Math.ceil((OUT + 4 * floats - memory.buffer.byteLength) / PAGE);
  if (missing > 0) memory.grow(missing);
  const { buffer } = memory;
  const bytes = new Uint8Array(NF4_CODE.buffer);
  const table = new Uint8Array(buffer, PLANES, 64);
  for (let at = 0; at < 64; at++) table[(at % 4) * 16 + (at >> 2)] = bytes[at] as number;
  return {
    codes: new Uint8Array(buffer, CODES, CALL_BLOCKS * CODE_BYTES),
    absmax: new Float32Array(buffer, ABSMAX, CALL_BLOCKS),
    out: new Float32Array(buffer, OUT, floats),
    run: (blocks, to) => decode(CODES, ABSMAX, to, blocks, PLANES),
  };
}

let shared: Kernel | undefined;

/** Kernels of workspaces, by their memory. */
const owners = new WeakMap<ArrayBufferLike, Kernel>();

/** What one WebAssembly memory can hold, less the windows. */
const MOST_FLOATS = 2 ** 29;

/** Memory for decoded weights into which the kernel writes by itself: a copy fewer of every weight of every pass. */
export function decodingWorkspace(floats: number): Float32Array {
  if (floats === 0 || floats > MOST_FLOATS) return new Float32Array(floats);
  const kernel = startKernel(floats);
  owners.set(kernel.out.buffer, kernel);
  return kernel.out;
}

/** Decodes `out.length` weights from `start` on (any position) with SIMD; equal to `decodeNf4Plain` bit for bit. */
export function decodeNf4(data: Nf4Data, start: number, out: Float32Array): void {
  const whole = start % NF4_BLOCK === 0 && out.length % NF4_BLOCK === 0;
  const owner = whole ? owners.get(out.buffer) : undefined;
  shared ??= startKernel(CALL_BLOCKS * NF4_BLOCK);
  const { codes, absmax, out: decoded, run } = owner ?? shared;
  const end = start + out.length;
  const endBlock = Math.ceil(end / NF4_BLOCK);
  for (let block = Math.floor(start / NF4_BLOCK); block < endBlock; block += CALL_BLOCKS) {
    const blocks = Math.min(CALL_BLOCKS, endBlock - block);
    codes.set(data.codes.subarray(block * CODE_BYTES, (block + blocks) * CODE_BYTES));
    decodeConstants(data, block, absmax.subarray(0, blocks));
    if (owner !== undefined) {
      run(blocks, out.byteOffset + 4 * (block * NF4_BLOCK - start));
      continue;
    }
    run(blocks, OUT);
    const from = Math.max(start, block * NF4_BLOCK);
    const to = Math.min(end, (block + blocks) * NF4_BLOCK);
    out.set(decoded.subarray(from - block * NF4_BLOCK, to - block * NF4_BLOCK), from - start);
  }
}
