/**
 * Where weights are dequantised: WebAssembly memory in which the kernels of all formats run. It starts with windows for the
 * input of a call, followed by floats: those of a call, or a whole workspace, into which weights are then dequantised without
 * a copy.
 */
import { BLOCKS_KERNEL, NF4_KERNEL, TILES_KERNEL } from '../../tensor/kernels.generated.js';
import { createMemory, startModule } from '../../tensor/webassembly.js';
import { BLOCKS, type BlockFormat, NF4_BLOCK } from './formats.js';
import { NF4_CODE } from './nf4-codes.js';

/** Values of one call: 128 KiB of floats, so that blocks and result stay in the second-level cache. */
const CALL_VALUES = 1 << 15;

/** No format that is dequantised has more than two bytes per value. */
const RAW_BYTES = 2 * CALL_VALUES;
const ABSMAX_FLOATS = CALL_VALUES / NF4_BLOCK;
const PLANES = 0;
const SCRATCH = PLANES + 64;
const ABSMAX = SCRATCH + 576;

interface DequantisationMemory {
  /** Blocks as they are stored, or NF4's codes. */
  readonly raw: Uint8Array;
  /** NF4's constants, one per block. */
  readonly absmax: Float32Array;
  readonly out: Float32Array;
  /** Of the widest matrix that NF4 may be dequantised from into tiles. */
  readonly columns: number;
  /** Dequantises the blocks in `raw`, of the format of this name; `to` is a position in the memory, in bytes. */
  blocks(format: KernelFormat, count: number, to: number): void;
  /** Dequantises the codes in `raw` with the constants in `absmax`. */
  nf4(blocks: number, to: number): void;
  /**
   * Dequantises `count` blocks of each of {@link NF4_TILE} rows, from block `first` of a row on, into a tile; the codes and
   * constants of whole rows, of `blocks` blocks, are in `raw` and `absmax`.
   */
  nf4Tile(blocks: number, first: number, count: number, to: number): void;
  /** Lays out rows as a tile; `from` and `to` are positions in `out`. */
  tile(from: number, to: number, columns: number, rows: number): void;
}

/** Block formats that need a kernel. */
type KernelFormat = Exclude<BlockFormat, 'F32'>;

type BlocksExport = (raw: number, out: number, blocks: number) => void;
type TileExport = (from: number, to: number, columns: number, rows: number) => void;
interface Nf4Exports {
  dequantise(codes: number, absmax: number, out: number, blocks: number, planes: number): void;
  dequantiseTile(
    codes: number,
    absmax: number,
    ...rest: readonly [out: number, blocks: number, row: number, planes: number, scratch: number]
  ): void;
}

/** Rows of a tile that NF4 is dequantised into at once. */
export const NF4_TILE = 16;

/** `columns`: of the widest matrix that is dequantised into tiles. */
function startMemory(floats: number, columns = 0): DequantisationMemory {
  const constants = Math.max(ABSMAX_FLOATS, Math.ceil((NF4_TILE * columns) / NF4_BLOCK));
  const rawBytes = Math.max(RAW_BYTES, (NF4_TILE * columns) / 2);
  const raw = ABSMAX + 4 * constants;
  const outAt = raw + rawBytes;
  const memory = createMemory(outAt + 4 * floats);
  const { buffer } = memory;
  const ofBlocks = startModule(BLOCKS_KERNEL, memory) as Readonly<Record<KernelFormat, BlocksExport>>;
  const ofNf4 = startModule(NF4_KERNEL, memory) as unknown as Nf4Exports;
  const ofTiles = startModule(TILES_KERNEL, memory)['turn'] as TileExport;
  const code = new Uint8Array(NF4_CODE.buffer);
  const planes = new Uint8Array(buffer, PLANES, code.length);
  for (let at = 0; at < code.length; at++) planes[(at % 4) * 16 + (at >> 2)] = code[at] as number;
  return {
    raw: new Uint8Array(buffer, raw, rawBytes),
    absmax: new Float32Array(buffer, ABSMAX, constants),
    out: new Float32Array(buffer, outAt, floats),
    columns,
    blocks: (format, count, to) => ofBlocks[format](raw, to, count),
    nf4: (blocks, to) => ofNf4.dequantise(raw, ABSMAX, to, blocks, PLANES),
    nf4Tile: (blocks, first, count, to) =>
      ofNf4.dequantiseTile(
        raw + (first * NF4_BLOCK) / 2,
        ABSMAX + 4 * first,
        ...([to, count, blocks, PLANES, SCRATCH] as const),
      ),
    tile: (from, to, columns, rows) => ofTiles(outAt + 4 * from, outAt + 4 * to, columns, rows),
  };
}

let shared: DequantisationMemory | undefined;

/** Memories of workspaces. */
const owners = new WeakMap<ArrayBufferLike, DequantisationMemory>();

/** What one WebAssembly memory can hold, less the windows. */
const MOST_FLOATS = 2 ** 29;

/**
 * Memory for dequantised weights into which kernels write directly: this saves a copy of every weight in every pass.
 * `columns`: of the widest matrix that is dequantised into tiles; default: none is.
 */
export function dequantisationWorkspace(floats: number, columns = 0): Float32Array {
  if (floats === 0 || floats > MOST_FLOATS) return new Float32Array(floats);
  const memory = startMemory(floats, columns);
  owners.set(memory.out.buffer, memory);
  return memory.out;
}

/** How a matrix is laid out: `size` rows next to each other (see `tensor/tiles.ts`). */
export interface Tiling {
  readonly columns: number;
  readonly size: number;
}

let tileWindow: DequantisationMemory | undefined;

/** Memory for at least so many floats of tiles of so many columns. */
function tileMemory(floats: number, columns: number): DequantisationMemory {
  if (tileWindow === undefined || tileWindow.out.length < floats || columns > tileWindow.columns) {
    tileWindow = startMemory(floats, columns);
    owners.set(tileWindow.out.buffer, tileWindow);
  }
  return tileWindow;
}

/** Blocks of each row that NF4 is dequantised from into a window: the result stays in the second-level cache. */
const TILE_BLOCKS = CALL_VALUES / NF4_TILE / NF4_BLOCK;

/**
 * Dequantises NF4 whose rows are whole blocks into tiles of {@link NF4_TILE} rows. `read` fills `raw` and `absmax` with those of
 * a tile's rows, which begin at a block.
 */
export function dequantiseNf4Tiles(
  columns: number,
  out: Float32Array,
  read: (memory: DequantisationMemory, block: number, count: number) => void,
): void {
  const blocks = columns / NF4_BLOCK;
  const values = NF4_TILE * columns;
  const own = owners.get(out.buffer);
  const direct = own !== undefined && columns <= own.columns;
  const memory = direct ? own : tileMemory(TILE_BLOCKS * NF4_BLOCK * NF4_TILE, columns);
  for (let start = 0; start < out.length; start += values) {
    read(memory, start / NF4_BLOCK, values / NF4_BLOCK);
    if (direct) {
      memory.nf4Tile(blocks, 0, blocks, out.byteOffset + 4 * start);
      continue;
    }
    for (let first = 0; first < blocks; first += TILE_BLOCKS) {
      const count = Math.min(TILE_BLOCKS, blocks - first);
      memory.nf4Tile(blocks, first, count, memory.out.byteOffset);
      out.set(memory.out.subarray(0, count * NF4_BLOCK * NF4_TILE), start + first * NF4_BLOCK * NF4_TILE);
    }
  }
}

/** Writes a matrix in tiles to `out`: `dequantise` gives the values of whole rows, from value `start` on. */
export function dequantiseInTiles(
  { columns, size }: Tiling,
  out: Float32Array,
  dequantise: (start: number, rows: Float32Array) => void,
): void {
  const values = columns * size;
  const memory = tileMemory(2 * values, 0);
  const [rows, tile] = [memory.out.subarray(0, values), memory.out.subarray(values, 2 * values)];
  for (let start = 0; start < out.length; start += values) {
    dequantise(start, rows);
    memory.tile(0, values, columns, size);
    out.set(tile, start);
  }
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
    dequantise(shared, block, count, shared.out.byteOffset);
    const [from, to] = [Math.max(start, first), Math.min(end, first + count * values)];
    out.set(shared.out.subarray(from - first, to - first), from - start);
  }
}

/** Dequantises `out.length` values from value `start` on (any position) of a tensor's whole blocks, exactly. */
export function dequantiseBlocks(
  format: BlockFormat,
  blocks: Uint8Array,
  start: number,
  out: Float32Array,
): void {
  if (format === 'F32') {
    out.set(floatsOf(format, blocks, start, out.length));
    return;
  }
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
