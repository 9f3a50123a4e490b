/**
 * Where weights are dequantised: WebAssembly memory in which the kernels of all formats run. It starts with windows for the
 * input of a call, followed by floats: those of a call, or a whole workspace, into which weights are then dequantised without
 * a copy.
 */
import { BLOCKS_KERNEL, NF4_KERNEL } from '../../tensor/kernels.generated.js';
import { createMemory, startModule } from '../../tensor/webassembly.js';
import { BLOCKS, type BlockFormat, NF4_BLOCK } from './formats.js';
import { NF4_CODE } from './nf4-codes.js';

/** Values of one call: 128 KiB of floats, so that blocks and result stay in the second-level cache. */
const CALL_VALUES = 1 << 15;

/** No format that is dequantised has more than two bytes per value. */
const RAW_BYTES = 2 * CALL_VALUES;
const ABSMAX_FLOATS = CALL_VALUES / NF4_BLOCK;
const PLANES = 0;
const ABSMAX = PLANES + 64;
const RAW = ABSMAX + 4 * ABSMAX_FLOATS;
const OUT = RAW + RAW_BYTES;

interface DequantisationMemory {
  /** Blocks as they are stored, or NF4's codes. */
  readonly raw: Uint8Array;
  /** NF4's constants, one per block. */
  readonly absmax: Float32Array;
  readonly out: Float32Array;
  /** Dequantises the blocks in `raw`, of the format of this name; `to` is a position in the memory, in bytes. */
  blocks(format: KernelFormat, count: number, to: number): void;
  /** Dequantises the codes in `raw` with the constants in `absmax`. */
  nf4(blocks: number, to: number): void;
}

/** Block formats that need a kernel. */
type KernelFormat = Exclude<BlockFormat, 'F32'>;

type BlocksExport = (raw: number, out: number, blocks: number) => void;
type Nf4Export = (codes: number, absmax: number, out: number, blocks: number, planes: number) => void;

function startMemory(floats: number): DequantisationMemory {
  const memory = createMemory(OUT + 4 * floats);
  const { buffer } = memory;
  const ofBlocks = startModule(BLOCKS_KERNEL, memory) as Readonly<Record<KernelFormat, BlocksExport>>;
  const ofNf4 = startModule(NF4_KERNEL, memory)['dequantise'] as Nf4Export;
  const code = new Uint8Array(NF4_CODE.buffer);
  const planes = new Uint8Array(buffer, PLANES, code.length);
  for (let at = 0; at < code.length; at++) planes[(at % 4) * 16 + (at >> 2)] = code[at] as number;
  return {
    raw: new Uint8Array(buffer, RAW, RAW_BYTES),
    absmax: new Float32Array(buffer, ABSMAX, ABSMAX_FLOATS),
    out: new Float32Array(buffer, OUT, floats),
    blocks: (format, count, to) => ofBlocks[format](RAW, to, count),
    nf4: (blocks, to) => ofNf4(RAW, ABSMAX, to, blocks, PLANES),
  };
}

let shared: DequantisationMemory | undefined;

/** Memories of workspaces. */
const owners = new WeakMap<ArrayBufferLike, DequantisationMemory>();

/** What one WebAssembly memory can hold, less the windows. */
const MOST_FLOATS = 2 ** 29;

/** Memory for dequantised weights into which kernels write directly: this saves a copy of every weight in every pass. */
export function dequantisationWorkspace(floats: number): Float32Array {
  if (floats === 0 || floats > MOST_FLOATS) return new Float32Array(floats);
  const memory = startMemory(floats);
  owners.set(memory.out.buffer, memory);
  return memory.out;
}

/** Values that kernels write at a time: what is not a multiple of this goes through a window. */
const AT_ONE_TIME = 4;

/**
 * Dequantises `out.length` values from value `start` on (any position), a call at a time: `dequantise` fills the windows with
 * `count` blocks of `values` values from `block` on, and runs a kernel that writes to `to`.
 */
export function dequantiseCalls(
  values: number,
  start: number,
  out: Float32Array,
  dequantise: (memory: DequantisationMemory, block: number, count: number, to: number) => void,
): void {
  const grain = Math.max(values, AT_ONE_TIME);
  const whole = start % values === 0 && out.length % grain === 0;
  const owner = whole ? owners.get(out.buffer) : undefined;
  shared ??= startMemory(CALL_VALUES);
  const end = start + out.length;
  const endBlock = Math.ceil(end / values);
  const step = CALL_VALUES / values;
  for (let block = Math.floor(start / values); block < endBlock; block += step) {
    const count = Math.min(step, endBlock - block);
    const first = block * values;
    if (owner !== undefined) {
      dequantise(owner, block, count, out.byteOffset + 4 * (first - start));
      continue;
    }
    dequantise(shared, block, count, OUT);
    const [from, to] = [Math.max(start, first), Math.min(end, first + count * values)];
    out.set(shared.out.subarray(from - first, to - first), from - start);
  }
}

/** Dequantises `out.length` values from value `start` on (any position) of a tensor's whole blocks, exactly. */
export function dequantiseBlocks(
  format: KernelFormat,
  blocks: Uint8Array,
  start: number,
  out: Float32Array,
): void {
  const { values, bytes } = BLOCKS[format];
  dequantiseCalls(values, start, out, (memory, block, count, to) => {
    memory.raw.set(blocks.subarray(block * bytes, (block + count) * bytes));
    memory.blocks(format, count, to);
  });
}

/** `count` values from value `start` on; a view if they are float32 already (bytes aligned to 4). */
export function floatsOf(
  format: BlockFormat,
  blocks: Uint8Array,
  start: number,
  count: number,
): Float32Array {
  if (format === 'F32') return new Float32Array(blocks.buffer, blocks.byteOffset + 4 * start, count);
  const out = new Float32Array(count);
  dequantiseBlocks(format, blocks, start, out);
  return out;
}
