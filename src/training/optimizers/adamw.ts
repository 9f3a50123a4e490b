import { adamKernel } from './adam-kernel.js';
import { elements, floats, type Rule } from './optimizer.js';

/**
 * `torch.optim.AdamW` (Loshchilov and Hutter, 2019, arXiv 1711.05101): decay first, then moments, then the update with
 * bias correction. The moments are rounded to float32 where torch rounds them, so that the codes of an 8-bit state come
 * out alike; the update is computed in float64 and rounded once.
 */
export const adamw: Rule = {
  slots: (shape) => ({ m: floats(elements(shape)), v: floats(elements(shape)) }),
  update: (input) =>
    adamKernel().adamw(input, input.slots['m'] as Float32Array, input.slots['v'] as Float32Array),
};
