import { shareableBytes } from '../../../language/host/shareable.js';
import { NF4_BLOCK, NF4_NESTED_BLOCK } from './formats.js';
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

const NF4_BOUNDS = midpoints(NF4_CODE);
const DYNAMIC_BOUNDS = midpoints(DYNAMIC_CODE);
/** bitsandbytes' guard against a block of zeros. */
const TINY = Math.fround(1e-38);

/**
 * Quantises `elements` values that `read(start, count)` hands out in windows, so that a tensor is never held twice.
 * Equal to `bitsandbytes.functional.quantize_4bit(…, quant_type="nf4", compress_statistics=True)`, with the nearest
 * code taken exactly where its 8-bit CPU kernel sometimes takes the second nearest.
 */
export function quantiseNf4(
  elements: number,
  read: (start: number, count: number) => Float32Array,
  window = 1 << 18,
): DoubleNf4 {
  const codes = shareableBytes(Math.ceil(elements / 2));
  const absmax = new Float32Array(Math.ceil(elements / NF4_BLOCK));
  for (let start = 0; start < elements; start += window) {
    const values = read(start, Math.min(window, elements - start));
    for (let at = 0; at < values.length; at += NF4_BLOCK) {
      const block = values.subarray(at, at + NF4_BLOCK);
      absmax[(start + at) / NF4_BLOCK] = quantiseBlock(block, codes, (start + at) / 2);
    }
  }
  return { codes, ...quantiseConstants(absmax) };
}

/** Writes the codes of at most 64 weights from byte `at` on and returns their absmax. */
function quantiseBlock(block: Float32Array, codes: Uint8Array, at: number): number {
  const largest = largestOf(block);
  if (block.length === NF4_BLOCK) {
    const inverse = Math.fround(1 / Math.max(largest, TINY));
    for (let i = 0; i < NF4_BLOCK; i += 2) {
      const first = nearestCode(Math.fround((block[i] as number) * inverse));
      codes[at + (i >> 1)] = (first << 4) | nearestCode(Math.fround((block[i + 1] as number) * inverse));
    }
    return largest;
  }
  // bitsandbytes divides in a last block that is not full, and pads an odd number of codes with a zero.
  const absmax = Math.max(largest, TINY);
  for (let i = 0; i < block.length; i += 2) {
    const first = nearestCode(Math.fround((block[i] as number) / absmax));
    codes[at + (i >> 1)] = (first << 4) | nearestCode(Math.fround((block[i + 1] ?? 0) / absmax));
  }
  return absmax;
}

/** Cells of a grid over [-1, 1], finer than the narrowest gap between two bounds. */
const CELLS = 256;
/** How many bounds lie below each cell: the search starts there and ends at most one further on. */
const CELL_CODES = Uint8Array.from({ length: CELLS + 1 }, (_, cell) =>
  bucket(NF4_BOUNDS, (cell / CELLS) * 2 - 1),
);

/** `bucket(NF4_BOUNDS, value)` in constant time; values beyond 1, by a rounding, get the last code. */
function nearestCode(value: number): number {
  const cell = Math.max(0, Math.min(CELLS, Math.floor(((value + 1) * CELLS) / 2)));
  let code = CELL_CODES[cell] as number;
  while (code < 15 && (NF4_BOUNDS[code] as number) < value) code++;
  return code;
}

function quantiseConstants(absmax: Float32Array): Omit<DoubleNf4, 'codes'> {
  const offset = torchMean(absmax);
  const centred = absmax.map((value) => value - offset);
  const constants = new Uint8Array(absmax.length);
  const scales = new Float32Array(Math.ceil(absmax.length / NF4_NESTED_BLOCK));
  for (let block = 0; block < scales.length; block++) {
    const start = block * NF4_NESTED_BLOCK;
    const values = centred.subarray(start, start + NF4_NESTED_BLOCK);
    const scale = largestOf(values);
    const inverse = Math.fround(1 / Math.max(scale, TINY));
    scales[block] = scale;
    for (let i = 0; i < values.length; i++) {
      constants[start + i] = bucket(DYNAMIC_BOUNDS, Math.fround((values[i] as number) * inverse));
    }
  }
  return { constants, scales, offset };
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
 * `tensor.mean()` of PyTorch on one thread, float32, bit for bit: sums run in 4 rows of 8 lanes and cascade over
 * 4 levels, fewer than 8 values in 4 rows of one (`aten/src/ATen/native/cpu/SumKernel.cpp`, `vectorized_inner_sum`). The order of the additions decides the
 * last bit, and that bit is part of a double-quantised weight.
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
