/** The codes of an 8-bit state: 256 values between dynamic exponents (bitsandbytes, `create_dynamic_map`). */

/** Ascending: from −1 to 1, or from 0 for what has no sign. */
export function dynamicMap(signed: boolean): Float32Array {
  const exponents = 7;
  const values = [0, 1];
  for (let exponent = 0; exponent < exponents; exponent++) {
    const count = 2 ** (exponent + (signed ? 0 : 1));
    const scale = Math.fround(10 ** (exponent - exponents + 1));
    const bounds = linspace(count + 1);
    for (let i = 0; i < count; i++) {
      const mean = Math.fround(Math.fround((bounds[i] as number) + (bounds[i + 1] as number)) / 2);
      const value = Math.fround(scale * mean);
      values.push(value, ...(signed ? [-value] : []));
    }
  }
  return Float32Array.from(values).sort();
}

/** torch.linspace(0.1, 1, count) in float32: the second half is counted down from the end. */
function linspace(count: number): Float32Array {
  const [start, end] = [Math.fround(0.1), 1];
  const step = Math.fround(Math.fround(end - start) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count >> 1 ? start + step * i : end - step * (count - i - 1),
  );
}

/** Position of the nearest value of an ascending table; of two that are as near, the lower one. */
export function nearest(map: Float32Array, value: number): number {
  let [low, high] = [0, map.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((map[middle] as number) > value) high = middle;
    else low = middle;
  }
  return value - (map[low] as number) <= (map[high] as number) - value ? low : high;
}
