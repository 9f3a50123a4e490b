/** Softmax over the last axis, and the cross entropy of classes. */
import { f32, sizeOf } from '../shape.js';
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
  memory: {},
};

/**
 * logits `[n, classes]`, labels i32 `[n]` → loss `[n]` in nats, and the log-probabilities `[n, classes]`,
 * which only the gradient uses. A row whose upstream gradient is 0 contributes exactly 0, so rows without
 * a label need no division and give no NaN.
 */
export const crossEntropy: OpDefinition = {
  infer(inputs) {
    const [logits, labels] = [argument(inputs, 0), argument(inputs, 1)];
    const [rows, classes] = logits.shape;
    expect(logits.dtype === 'f32' && logits.shape.length === 2, 'logits are f32 [n, classes]');
    expect(
      labels.dtype === 'i32' && labels.shape.length === 1 && labels.shape[0] === rows,
      'labels are i32 [n]',
    );
    return [f32([rows ?? 0]), f32([rows ?? 0, classes ?? 0])];
  },
  /** dlogits = softmax ∘ dy − dy at the label */
  gradient(context) {
    const { builder: b } = context;
    expect(context.gradients[1] === undefined, 'the log-probabilities of crossEntropy carry no gradient');
    const [rows] = b.shapeOf(argument(context.inputs, 1));
    const column = [rows ?? 0, 1];
    const dy = b.reshape(upstream(context), column);
    const labels = b.reshape(argument(context.inputs, 1), column);
    const spread = b.mul(b.exp(argument(context.outputs, 1)), dy);
    return [b.scatterElements(spread, labels, b.neg(dy), 1), undefined];
  },
  cost: (inputs) => 12 * sizeOf(argument(inputs, 0).shape),
  memory: {},
};
