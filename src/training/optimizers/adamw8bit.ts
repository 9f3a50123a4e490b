/**
 * AdamW with both moments in 8 bits (Dettmers et al. 2022, arXiv 2110.02861), as bitsandbytes computes it: blocks of 256
 * share the largest magnitude, and each value is the nearest of 256 codes between dynamic exponents.
 */
import { adamStep, adamw } from './adamw.js';
import { elements, floats, type Rule } from './optimizer.js';

const BLOCK = 256;
/** Smaller parameters keep float32 moments (bitsandbytes' `min_8bit_size`). */
const SMALLEST = 4096;

/** The 256 values of the code, ascending (bitsandbytes, `create_dynamic_map`). */
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

const MEANS = dynamicMap(true);
const SQUARES = dynamicMap(false);

export const adamw8bit: Rule = {
  slots(shape) {
    const count = elements(shape);
    if (count < SMALLEST) return adamw.slots(shape);
    const blocks = Math.ceil(count / BLOCK);
    return {
      m: { type: 'u8', length: count, fill: MEANS.indexOf(0) },
      v: { type: 'u8', length: count, fill: SQUARES.indexOf(0) },
      m_absmax: floats(blocks),
      v_absmax: floats(blocks),
    };
  },
  update(input) {
    const { m, v, m_absmax: meanScales, v_absmax: squareScales } = input.slots;
    if (!(m instanceof Uint8Array) || !(v instanceof Uint8Array)) return adamw.update(input);
    const [means, squares] = [new Float32Array(BLOCK), new Float32Array(BLOCK)];
    for (let block = 0; block * BLOCK < m.length; block++) {
      const [first, end] = [block * BLOCK, Math.min((block + 1) * BLOCK, m.length)];
      decode(m, MEANS, meanScales as Float32Array, block, means);
      decode(v, SQUARES, squareScales as Float32Array, block, squares);
      adamStep(input, means, squares, first, end);
      encode(means, MEANS, meanScales as Float32Array, block, m);
      encode(squares, SQUARES, squareScales as Float32Array, block, v);
    }
  },
};

function decode(
  codes: Uint8Array,
  map: Float32Array,
  scales: Float32Array,
  block: number,
  out: Float32Array,
): void {
  const first = block * BLOCK;
  const scale = scales[block] as number;
  const count = Math.min(BLOCK, codes.length - first);
  for (let i = 0; i < count; i++) out[i] = (map[codes[first + i] as number] as number) * scale;
}

function encode(
  values: Float32Array,
  map: Float32Array,
  scales: Float32Array,
  block: number,
  codes: Uint8Array,
): void {
  const first = block * BLOCK;
  const count = Math.min(BLOCK, codes.length - first);
  let largest = 0;
  for (let i = 0; i < count; i++) largest = Math.max(largest, Math.abs(values[i] as number));
  scales[block] = largest;
  const inverse = largest === 0 ? 0 : Math.fround(1 / largest);
  for (let i = 0; i < count; i++)
    codes[first + i] = nearest(map, Math.fround((values[i] as number) * inverse));
}

/** Position of the nearest value of an ascending table of 256. */
function nearest(map: Float32Array, value: number): number {
  let [low, high] = [0, map.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((map[middle] as number) > value) high = middle;
    else low = middle;
  }
  return value - (map[low] as number) <= (map[high] as number) - value ? low : high;
}
