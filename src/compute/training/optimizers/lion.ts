import { sizeOf } from '../../tensor/shape.js';
import { floats, type Rule } from './optimizer.js';

/** Lion (Chen et al. 2023, arXiv 2302.06675): a step of one size in the direction of the interpolated momentum's sign. */
export const lion: Rule = {
  slots: (shape) => ({ m: floats(sizeOf(shape)) }),
  update({ parameter: { data }, gradient, slots, options, decay, rate, gradientScale }) {
    const { beta1, beta2 } = options;
    const m = slots['m'] as Float32Array;
    const keep = 1 - rate * decay;
    for (let i = 0; i < data.length; i++) {
      const g = Math.fround((gradient[i] as number) * gradientScale);
      const before = m[i] as number;
      const direction = Math.sign(Math.fround(before * beta1 + g * (1 - beta1)));
      data[i] = (data[i] as number) * keep - rate * direction;
      m[i] = before * beta2 + g * (1 - beta2);
    }
  },
};
