/** float16 and bfloat16: their float32 values, and the nearest half of a float32. */

/** All 65,536 float16 values as float32; made on first use (256 KiB). */
let float16Values: Float32Array | undefined;

function float16Table(): Float32Array {
  if (float16Values !== undefined) return float16Values;
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) table[bits] = float16Value(bits);
  float16Values = table;
  return table;
}

/** The value of an IEEE 754 binary16. */
export function float16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Writes `source` as float32 into `out` (same length). */
export function decodeFloat16(source: Uint16Array, out: Float32Array): void {
  const table = float16Table();
  for (let i = 0; i < source.length; i++) out[i] = table[source[i] as number] as number;
}

/** Writes `source` as float32 into `out` (same length): a bfloat16 is the upper half of a float32. */
export function decodeBfloat16(source: Uint16Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < source.length; i++) bits[i] = (source[i] as number) << 16;
}

/** The float32 bits of `source`, a view where its place in memory allows one. */
function bitsOf(source: Float32Array): Uint32Array {
  return new Uint32Array(source.buffer, source.byteOffset, source.length);
}

/** Nearest bfloat16, ties to even; NaN stays NaN (as PyTorch's `.bfloat16()`). */
export function encodeBfloat16(source: Float32Array): Uint16Array {
  const bits = bitsOf(source);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i] as number;
    out[i] = (value & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (value + 0x7fff + ((value >>> 16) & 1)) >>> 16;
  }
  return out;
}

/** Nearest float16, ties to even; beyond 65,504 infinity (as PyTorch's `.half()`). */
export function encodeFloat16(source: Float32Array): Uint16Array {
  const bits = bitsOf(source);
  const out = new Uint16Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = encodeFloat16Bits(bits[i] as number);
  return out;
}

/** Bits of 2^-14, the smallest normal float16, and of 65,520, from which on the nearest is infinity. */
const NORMAL = 0x38800000;
const OVERFLOW = 0x477ff000;
const INFINITY = 0x7f800000;

function encodeFloat16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > INFINITY) return sign | 0x7e00;
  if (size >= OVERFLOW) return sign | 0x7c00;
  // 112 is the difference of the exponents' biases; a fraction that rounds up carries into the exponent.
  if (size >= NORMAL) return sign | ((size - (112 << 23) + 0xfff + ((size >>> 13) & 1)) >>> 13);
  // Subnormal: units of 2^-24, of which the significand is a shift away; below half a unit it is zero.
  const shift = 126 - (size >>> 23);
  if (shift > 24) return sign;
  const significand = (size & 0x7fffff) | 0x800000;
  const whole = significand >>> shift;
  const rest = significand - whole * 2 ** shift;
  const half = 2 ** (shift - 1);
  return sign | (rest > half || (rest === half && whole % 2 === 1) ? whole + 1 : whole);
}
