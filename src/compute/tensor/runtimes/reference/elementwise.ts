import { text } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import { at, broadcastPosition, eachIndex, type Kernel } from './kernel.js';

/** One element of the result from one of each input. */
const each =
  (compute: (...values: readonly number[]) => number): Kernel =>
  (inputs, outputs) => {
    const out = argument(outputs, 0);
    eachIndex(out.shape, (index, number) => {
      out.data[number] = compute(...inputs.map((input) => at(input.data, broadcastPosition(input, index))));
    });
  };

/** Abramowitz and Stegun 7.1.6, a series of positive terms; beyond 6 the difference from ±1 is below 2e-17. */
function erfOf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const BITS = new Int32Array(1);
const FLOAT = new Float32Array(BITS.buffer);

/** The upper half of the bits of a float32, after what rounds the lower half to nearest, ties to even. */
function bf16Of(x: number): number {
  FLOAT[0] = x;
  if (!Number.isFinite(x)) return x;
  const bits = BITS[0] ?? 0;
  BITS[0] = (bits + 0x7fff + ((bits >> 16) & 1)) & ~0xffff;
  return FLOAT[0] ?? 0;
}

const sigmoidOf = (x: number) => 1 / (1 + Math.exp(-x));

export const add = each((a, b) => Number(a) + Number(b));
export const sub = each((a, b) => Number(a) - Number(b));
export const mul = each((a, b) => Number(a) * Number(b));
export const div = each((a, b) => Number(a) / Number(b));
export const neg = each((x) => -Number(x));
export const exp = each((x) => Math.exp(Number(x)));
export const log = each((x) => Math.log(Number(x)));
export const sqrt = each((x) => Math.sqrt(Number(x)));
export const reciprocal = each((x) => 1 / Number(x));
export const sigmoid = each((x) => sigmoidOf(Number(x)));
export const tanh = each((x) => Math.tanh(Number(x)));
export const erf = each((x) => erfOf(Number(x)));
export const silu = each((x) => Number(x) * sigmoidOf(Number(x)));
export const relu = each((x) => Math.max(Number(x), 0));
export const toBf16 = each((x) => bf16Of(Number(x)));
export const equal = each((a, b) => (a === b ? 1 : 0));
export const where = each((condition, a, b) => Number(condition ? a : b));
export const expand = each((x) => Number(x));

export const cast: Kernel = (inputs, outputs, attributes) => {
  const to = text(attributes, 'to');
  const convert = (x: number) => (to === 'bool' ? Number(x !== 0) : to === 'f32' ? x : Math.trunc(x));
  argument(outputs, 0).data.set(argument(inputs, 0).data.map(convert));
};
