/** The code tables of bitsandbytes' NF4 with double quantisation; bit for bit those of `bitsandbytes/functional.py`. */

/** NormalFloat4 (QLoRA, https://arxiv.org/abs/2305.14314, appendix E). */
export const NF4_CODE = new Float32Array([
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
]);

/** The signed 8-bit dynamic map for the block constants (https://arxiv.org/abs/1511.04561, `create_dynamic_map`). */
export const DYNAMIC_CODE = dynamicMap();

function dynamicMap(): Float32Array {
  const values = [0, 1];
  for (let exponent = 0; exponent < 7; exponent++) {
    const scale = Math.fround(10 ** (exponent - 6));
    const boundaries = linspace(2 ** exponent + 1);
    for (let i = 0; i + 1 < boundaries.length; i++) {
      const mean = midpoint(boundaries, i);
      values.push(Math.fround(scale * mean), Math.fround(-scale * mean));
    }
  }
  return Float32Array.from(values).sort();
}

/** `torch.linspace(0.1, 1, count)` in float32: from both ends to the middle, with fused multiply-adds. */
function linspace(count: number): Float32Array {
  const start = Math.fround(0.1);
  const step = Math.fround(Math.fround(1 - start) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) ? start + step * i : 1 - step * (count - 1 - i),
  );
}

/** The 32-bit midpoints between neighbours of a sorted code: the value at `i` separates codes `i` and `i + 1`. */
export function midpoints(code: Float32Array): Float32Array {
  return Float32Array.from({ length: code.length - 1 }, (_, i) => midpoint(code, i));
}

function midpoint(values: Float32Array, i: number): number {
  return Math.fround(Math.fround((values[i] as number) + (values[i + 1] as number)) / 2);
}

/** How many bounds lie strictly below `value`: the index of the nearest code (`torch.bucketize`). */
export function bucket(bounds: Float32Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bounds[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
