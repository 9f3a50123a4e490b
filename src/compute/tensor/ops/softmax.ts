/** Softmax over the last axis and its logarithm: a row is read before it is written, element by element. */
import { sizeOf } from '../shape.js';
import { argument, expect, type OpDefinition, upstream } from './definition.js';

export const softmax: OpDefinition = {
  infer(inputs) {
    const input = argument(inputs, 0);
    expect(input.dtype === 'f32' && input.shape.length > 0, 'softmax is of f32 with an axis');
    return [input];
  },
  /** dx = y ∘ (dy − Σ dy∘y) */
  gradient(context) {
    const { builder: b } = context;
    const y = argument(context.outputs, 0);
    const dy = upstream(context);
    const last = b.shapeOf(y).length - 1;
    return [b.mul(b.sub(dy, b.sum(b.mul(dy, y), [last], true)), y)];
  },
  cost: (_, outputs) => 10 * sizeOf(argument(outputs, 0).shape),
  memory: { inPlace: [0] },
};

/** x − log Σ eˣ over the last axis, safe for any size of x. */
export const logSoftmax: OpDefinition = {
  infer: softmax.infer,
  /** dx = dy − e^y · Σ dy */
  gradient(context) {
    const { builder: b } = context;
    const y = argument(context.outputs, 0);
    const dy = upstream(context);
    const last = b.shapeOf(y).length - 1;
    return [b.sub(dy, b.mul(b.exp(y), b.sum(dy, [last], true)))];
  },
  cost: softmax.cost,
  memory: { inPlace: [0] },
};
