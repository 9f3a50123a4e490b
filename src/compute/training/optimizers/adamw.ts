import { sizeOf } from '../../tensor/shape.js';
import type { ValueId } from '../../tensor/types.js';
import { adamKernel } from './adam-kernel.js';
import { floats, type Rule } from './optimizer.js';

/**
 * `torch.optim.AdamW` (Loshchilov and Hutter, 2019, arXiv 1711.05101): decay first, then moments, then the update with
 * bias correction. The moments are rounded to float32 where torch rounds them, so that the codes of an 8-bit state come
 * out alike; the update is computed in float64 and rounded once.
 */
export const adamw: Rule = {
  slots: (shape) => ({ m: floats(sizeOf(shape)), v: floats(sizeOf(shape)) }),
  update: (input) =>
    adamKernel().adamw(input, input.slots['m'] as Float32Array, input.slots['v'] as Float32Array),
  graph: {
    numbers({ options: { beta1, beta2, epsilon }, decay, step, rate, gradientScale }) {
      const correction = Math.sqrt(1 - beta2 ** step);
      return {
        gradientScale,
        beta1,
        beta2,
        rest1: 1 - beta1,
        rest2: 1 - beta2,
        kept: 1 - rate * decay,
        // m̂ ÷ (√v̂ + ε), both sides times the correction of √v
        size: (rate / (1 - beta1 ** step)) * correction,
        epsilon: epsilon * correction,
      };
    },
    /** In float32 throughout, as torch computes it. */
    build(b, { parameter, gradient, slots, number }) {
      const g = b.mul(gradient, number('gradientScale'));
      const moved = (slot: string, beta: string, rest: string, by: ValueId) =>
        b.add(b.mul(slots[slot] as ValueId, number(beta)), b.mul(by, number(rest)));
      const m = moved('m', 'beta1', 'rest1', g);
      const v = moved('v', 'beta2', 'rest2', b.mul(g, g));
      const change = b.div(m, b.add(b.sqrt(v), number('epsilon')));
      const kept = b.mul(parameter, number('kept'));
      return { parameter: b.sub(kept, b.mul(change, number('size'))), slots: { m, v } };
    },
  },
};
