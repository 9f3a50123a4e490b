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
