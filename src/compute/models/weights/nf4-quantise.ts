import { shareableBytes } from '../../../language/host/shareable.js';
import { NF4_KERNEL } from '../../tensor/kernels.generated.js';
import { createMemory, startModule } from '../../tensor/webassembly.js';
import { NF4_BLOCK, NF4_NESTED_BLOCK } from './formats.js';
import { cellTables } from './nf4-cells.js';
import { bucket, DYNAMIC_CODE, midpoints, NF4_CODE } from './nf4-codes.js';

/**
 * A tensor in NF4, laid out as bitsandbytes lays it out: `codes` `[ceil(n / 2)]`, two a byte, the first in the upper half, and
 * `absmax` `[ceil(n / 64)]` of each block of 64 weights, or what that is quantised to.
 */
export type Nf4Data = { readonly codes: Uint8Array; readonly absmax: Float32Array } | DoubleNf4;

/** With double quantisation: the constants are quantised, too. */
export interface DoubleNf4 {
  readonly codes: Uint8Array;
  /** A dynamic-map code for the absmax of each block of 64 weights. `[ceil(n / 64)]` */
  readonly constants: Uint8Array;
  /** Scale of each 256 constants. `[ceil(n / 64 / 256)]` */
  readonly scales: Float32Array;
  /** The mean, which was subtracted from every absmax before it was quantised. */
  readonly offset: number;
}

/** The same in memory that threads share. */
export interface SharedNf4 extends DoubleNf4 {
  readonly codes: Uint8Array<SharedArrayBuffer>;
  readonly constants: Uint8Array<SharedArrayBuffer>;
  readonly scales: Float32Array<SharedArrayBuffer>;
}

const NF4_BOUNDS = midpoints(NF4_CODE);
const DYNAMIC_BOUNDS = midpoints(DYNAMIC_CODE);
/** bitsandbytes' guard against a block of zeros. */
const TINY = Math.fround(1e-38);

/** Values of one call: 128 KiB of floats, so that values and codes stay in the second-level cache. */
const CALL_VALUES = 1 << 15;
const CALL_BLOCKS = CALL_VALUES / NF4_BLOCK;
const BOUNDS = 0;
const CELLS = BOUNDS + 64;
/** A multiple of 16 after five tables of 16 bytes. */
const VALUES = CELLS + 80;
const CODES = VALUES + 4 * CALL_VALUES;
const ABSMAX = CODES + CALL_VALUES / 2;

interface Nf4Memory {
  readonly values: Float32Array;
  readonly codes: Uint8Array;
  readonly absmax: Float32Array;
  /** Quantises whole blocks of `values`; gives the bits of the largest absmax. */
  run(blocks: number): number;
}

type QuantiseExport = (
  ...args: readonly [
    values: number,
    codes: number,
    absmax: number,
    blocks: number,
    bounds: number,
    tiny: number,
    cells: number,
  ]
) => number;

let shared: Nf4Memory | undefined;

function memory(): Nf4Memory {
  if (shared !== undefined) return shared;
  const allocated = createMemory(ABSMAX + 4 * CALL_BLOCKS);
  const { buffer } = allocated;
  new Float32Array(buffer, BOUNDS, NF4_BOUNDS.length).set(NF4_BOUNDS);
  new Uint8Array(buffer, CELLS, VALUES - CELLS).set(cellTables(NF4_BOUNDS));
  const run = startModule(NF4_KERNEL, allocated)['quantise'] as QuantiseExport;
  shared = {
    values: new Float32Array(buffer, VALUES, CALL_VALUES),
    codes: new Uint8Array(buffer, CODES, CALL_VALUES / 2),
    absmax: new Float32Array(buffer, ABSMAX, CALL_BLOCKS),
    run: (blocks) => run(VALUES, CODES, ABSMAX, blocks, BOUNDS, TINY, CELLS),
  };
  return shared;
}

/** Bits of the first float32 that is not finite. */
const NOT_FINITE = 0x7f800000;

/** How {@link quantiseNf4} reads, and where it writes. */
export interface Nf4Options {
  /** Values that are read at a time: a multiple of a block's; default: as many as stay in the second-level cache. */
  readonly window?: number;
  /** Whether the result lies in memory that threads share: a {@link SharedNf4}. */
  readonly shared?: boolean;
  /** Called before a block whose values are not all finite, which have no code; it throws. */
  readonly notFinite?: () => never;
}

/**
 * Quantises `elements` values that `read(start, out)` writes a window at a time, so that a tensor is never held twice.
 * Equal to `bitsandbytes.functional.quantize_4bit(…, quant_type="nf4", compress_statistics=True)`, with the nearest
 * code taken exactly where its 8-bit CPU kernel sometimes takes the second nearest.
 */
export function quantiseNf4(
  elements: number,
  read: (start: number, out: Float32Array) => void,
  { window, notFinite, shared = false }: Nf4Options = {},
): DoubleNf4 {
  const bytes = shared ? sharedBytes : shareableBytes;
  const codes = bytes(Math.ceil(elements / 2));
  const absmax = new Float32Array(Math.ceil(elements / NF4_BLOCK));
  const room = window === undefined ? memory().values : new Float32Array(Math.min(window, elements));
  for (let start = 0; start < elements; start += room.length) {
    const values = room.subarray(0, elements - start);
    read(start, values);
    if (!quantiseValues(values, codes.subarray(start / 2), absmax.subarray(start / NF4_BLOCK))) notFinite?.();
  }
  return { codes, ...quantiseConstants(absmax, bytes) };
}

const sharedBytes = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));

/** Writes codes and absmax of blocks, the last of which may not be full; whether all values are finite. */
function quantiseValues(values: Float32Array, codes: Uint8Array, absmax: Float32Array): boolean {
  const kernel = memory();
  const whole = Math.floor(values.length / NF4_BLOCK);
  let isWhole = true;
  for (let block = 0; block < whole; block += CALL_BLOCKS) {
    const count = Math.min(CALL_BLOCKS, whole - block);
    if (values.buffer !== kernel.values.buffer)
      kernel.values.set(values.subarray(block * NF4_BLOCK, (block + count) * NF4_BLOCK));
    if (kernel.run(count) >>> 0 >= NOT_FINITE) isWhole = false;
    codes.set(kernel.codes.subarray(0, (count * NF4_BLOCK) / 2), (block * NF4_BLOCK) / 2);
    absmax.set(kernel.absmax.subarray(0, count), block);
  }
  const rest = values.subarray(whole * NF4_BLOCK);
  if (rest.length === 0) return isWhole;
  absmax[whole] = quantiseRest(rest, codes.subarray((whole * NF4_BLOCK) / 2));
  return isWhole && rest.every(Number.isFinite);
}

/** Writes the codes of a last block that is not full and returns its absmax. */
function quantiseRest(block: Float32Array, codes: Uint8Array): number {
  // bitsandbytes divides here, where it multiplies by the inverse otherwise, and pads an odd number of codes with a zero
  const absmax = Math.max(largestOf(block), TINY);
  const codeOf = (value = 0): number => bucket(NF4_BOUNDS, Math.fround(value / absmax));
  for (let i = 0; i < block.length; i += 2) codes[i >> 1] = (codeOf(block[i]) << 4) | codeOf(block[i + 1]);
  return absmax;
}

function quantiseConstants(
  absmax: Float32Array,
  bytes: (length: number) => Uint8Array,
): Omit<DoubleNf4, 'codes'> {
  const offset = torchMean(absmax);
  const constants = bytes(absmax.length);
  const count = Math.ceil(absmax.length / NF4_NESTED_BLOCK);
  const { buffer, byteOffset } = bytes(4 * count);
  const scales = new Float32Array(buffer, byteOffset, count);
  const centred = new Float32Array(NF4_NESTED_BLOCK);
  const bits = new Uint32Array(centred.buffer);
  for (let block = 0; block < scales.length; block++) {
    const start = block * NF4_NESTED_BLOCK;
    const count = Math.min(NF4_NESTED_BLOCK, absmax.length - start);
    for (let i = 0; i < count; i++) centred[i] = (absmax[start + i] as number) - offset;
    const scale = largestOf(centred.subarray(0, count));
    const inverse = Math.fround(1 / Math.max(scale, TINY));
    scales[block] = scale;
    for (let i = 0; i < count; i++) centred[i] = (centred[i] as number) * inverse;
    for (let i = 0; i < count; i++)
      constants[start + i] = dynamicCode(centred[i] as number, bits[i] as number);
  }
  return { constants, scales, offset };
}

/** The first bits of a float32, sign, exponent and five bits of the mantissa, tell a cell with two bounds at most. */
const CELL_SHIFT = 18;
/** How many bounds of the dynamic map lie below the least value of each cell: the search starts there. */
const CELL_CODES = cellCodes();

function cellCodes(): Uint8Array {
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  return Uint8Array.from({ length: 2 ** (32 - CELL_SHIFT) }, (_, index) => {
    // of negative values, the last bits make the least one
    bits[0] = (index << CELL_SHIFT) | (index >> (31 - CELL_SHIFT) === 1 ? 2 ** CELL_SHIFT - 1 : 0);
    return bucket(DYNAMIC_BOUNDS, value[0] as number);
  });
}

/** The bounds, and two that nothing exceeds: a search takes two steps from any cell, so that no branch depends on a value. */
const ALL_BOUNDS = Float32Array.of(...DYNAMIC_BOUNDS, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);

/** `bucket(DYNAMIC_BOUNDS, value)` of a float32 with these bits. */
function dynamicCode(value: number, bits: number): number {
  const first = CELL_CODES[bits >>> CELL_SHIFT] as number;
  const second = first + Number((ALL_BOUNDS[first] as number) < value);
  return second + Number((ALL_BOUNDS[second] as number) < value);
}

function largestOf(values: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i] as number);
    if (size > largest) largest = size;
  }
  return largest;
}

/**
 * `tensor.mean()` of PyTorch on one thread, float32, bit for bit: sums run in 4 rows of 8 lanes and cascade over 4
 * levels, fewer than 8 values in 4 rows of one (`aten/src/ATen/native/cpu/SumKernel.cpp`, `vectorized_inner_sum`). The
 * order of the additions decides the last bit, and that bit is part of a double-quantised weight.
 */
export function torchMean(values: Float32Array): number {
  const lanes = values.length < LANES ? 1 : LANES;
  const width = lanes * ROWS;
  const vectors = Math.floor(values.length / lanes);
  const rows = Math.floor(vectors / ROWS);
  const sums = cascade(values, rows, width);
  for (let at = rows * width; at < vectors * lanes; at++) add(sums, at % lanes, values[at] as number);
  for (let row = 1; row < ROWS; row++) {
    for (let lane = 0; lane < lanes; lane++) add(sums, lane, sums[row * lanes + lane] as number);
  }
  let total = 0;
  for (let at = vectors * lanes; at < values.length; at++)
    total = Math.fround(total + (values[at] as number));
  for (let lane = 0; lane < lanes; lane++) total = Math.fround(total + (sums[lane] as number));
  return Math.fround(total / values.length);
}

const LANES = 8;
const ROWS = 4;
const LEVELS = 4;

/** Sums `rows` rows of `width` values down to one, in four levels of growing stride. */
function cascade(values: Float32Array, rows: number, width: number): Float32Array {
  const power = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(1, rows))) / LEVELS));
  const step = 2 ** power;
  const first = new Float32Array(width);
  const levels = [first, ...Array.from({ length: LEVELS - 1 }, () => new Float32Array(width))];
  let row = 0;
  while (row + step <= rows) {
    for (const stop = row + step; row < stop; row++) addRow(first, values, row * width);
    for (let level = 1; level < LEVELS; level++) {
      const below = levels[level - 1];
      const above = levels[level];
      if (below === undefined || above === undefined) break;
      addRow(above, below, 0);
      below.fill(0);
      if (Math.floor(row / step ** level) % step !== 0) break;
    }
  }
  for (; row < rows; row++) addRow(first, values, row * width);
  for (const level of levels.slice(1)) addRow(first, level, 0);
  return first;
}

function addRow(sums: Float32Array, values: Float32Array, from: number): void {
  for (let i = 0; i < sums.length; i++) add(sums, i, values[from + i] as number);
}

/** Storing into a Float32Array rounds the sum to float32. */
function add(sums: Float32Array, at: number, value: number): void {
  sums[at] = (sums[at] as number) + value;
}
