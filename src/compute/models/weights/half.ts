/** The nearest float16 or bfloat16 of a float32. */
import { quantiseBlocks } from './quantisation.js';

const bitsOf = (source: Float32Array): Uint32Array =>
  new Uint32Array(source.buffer, source.byteOffset, source.length);

/** Nearest bfloat16, ties to even; NaN stays NaN (as PyTorch's `.bfloat16()`). */
export const encodeBfloat16 = (source: Float32Array): Uint16Array => encoded('BF16', source);

/** Nearest float16, ties to even; beyond 65,504 infinity (as PyTorch's `.half()`). */
export const encodeFloat16 = (source: Float32Array): Uint16Array => encoded('F16', source);

function encoded(format: 'BF16' | 'F16', source: Float32Array): Uint16Array {
  const { buffer, byteOffset } = quantiseBlocks(format, source);
  return new Uint16Array(buffer, byteOffset, source.length);
}

/** Rounds values in place. */
export type Round = (values: Float32Array) => void;

/** By torch's names of the types. */
export const ROUNDINGS: Readonly<Record<'float32' | 'bfloat16' | 'float16', Round | undefined>> = {
  float32: undefined,
  bfloat16(values) {
    const bits = bitsOf(values);
    for (let i = 0; i < bits.length; i++) {
      const value = bits[i] as number;
      if ((value & INFINITY) !== INFINITY) bits[i] = (value + 0x7fff + ((value >>> 16) & 1)) & 0xffff0000;
    }
  },
  float16(values) {
    const bits = bitsOf(values);
    for (let i = 0; i < bits.length; i++) {
      const value = bits[i] as number;
      const size = value & 0x7fffffff;
      if (size >= NORMAL && size < OVERFLOW) bits[i] = (value + 0xfff + ((value >>> 13) & 1)) & 0xffffe000;
      else if (size >= OVERFLOW) bits[i] = (value & 0x80000000) | INFINITY;
      // units of 2^-24, of which a float32 has all
      else {
        const units = Math.abs(values[i] as number) + HALF_UNITS - HALF_UNITS;
        values[i] = value >>> 31 === 1 ? -units : units;
      }
    }
  },
};

/** Added to a subnormal float16, it leaves whole units: in float64, where the last place of this is 2^-24. */
const HALF_UNITS = 3 * 2 ** 27;

/** Bits of 2^-14, the smallest normal float16, and of 65,520, from which on the nearest is infinity. */
const NORMAL = 0x38800000;
const OVERFLOW = 0x477ff000;
const INFINITY = 0x7f800000;
