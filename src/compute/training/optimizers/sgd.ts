import { sizeOf } from '../../tensor/shape.js';
import { floats, type Rule } from './optimizer.js';

/** `torch.optim.SGD`: decay is part of the gradient; with momentum, the first step takes the gradient as it is. */
export const sgd: Rule = {
  slots: (shape) => ({ momentum: floats(sizeOf(shape)) }),
  update({ parameter: { data }, gradient, slots, options, decay, step, rate, gradientScale }) {
    const { momentum } = options;
    const buffer = slots['momentum'] as Float32Array;
    for (let i = 0; i < data.length; i++) {
      const g = Math.fround((gradient[i] as number) * gradientScale) + decay * (data[i] as number);
      const moved = step === 1 ? g : momentum * (buffer[i] as number) + g;
      buffer[i] = moved;
      data[i] = (data[i] as number) - rate * moved;
    }
  },
};
