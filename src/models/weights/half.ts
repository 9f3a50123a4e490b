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

/** IEEE 754 binary16. */
function float16Value(bits: number): number {
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

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

function bitsOf(value: number): number {
  scratch[0] = value;
  return scratchBits[0] as number;
}

/** Nearest bfloat16, ties to even; NaN stays NaN (as PyTorch's `.bfloat16()`). */
export function encodeBfloat16(source: Float32Array): Uint16Array {
  return Uint16Array.from(source, (value) => {
    if (Number.isNaN(value)) return 0x7fc0;
    const bits = bitsOf(value);
    return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  });
}

/** Nearest float16, ties to even; beyond 65,504 infinity (as PyTorch's `.half()`). */
export function encodeFloat16(source: Float32Array): Uint16Array {
  return Uint16Array.from(source, encodeFloat16Value);
}

function encodeFloat16Value(value: number): number {
  const sign = (bitsOf(value) >>> 16) & 0x8000;
  const size = Math.abs(scratch[0] as number);
  if (Number.isNaN(size)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24);
  const exponent = (bitsOf(size) >>> 23) - 127;
  // A fraction that rounds up to 1024 carries into the exponent, which is what the sum does.
  return sign | (((exponent + 15) << 10) + roundToEven((size / 2 ** exponent - 1) * 1024));
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
