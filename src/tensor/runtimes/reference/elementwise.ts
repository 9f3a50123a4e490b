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
export const silu = each((x) => Number(x) * sigmoidOf(Number(x)));
export const equal = each((a, b) => (a === b ? 1 : 0));
export const where = each((condition, a, b) => Number(condition ? a : b));
export const expand = each((x) => Number(x));

export const cast: Kernel = (inputs, outputs, attributes) => {
  const to = text(attributes, 'to');
  const convert = (x: number) => (to === 'bool' ? Number(x !== 0) : to === 'f32' ? x : Math.trunc(x));
  argument(outputs, 0).data.set(argument(inputs, 0).data.map(convert));
};
