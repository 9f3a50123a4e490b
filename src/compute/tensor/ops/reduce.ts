/** Reductions over a list of axes (counted from the front), and what divides a row by its sum. */
import { flag, list } from '../attributes.js';
import { f32, type Shape, sizeOf } from '../shape.js';
import type { ValueId } from '../types.js';
import { argument, expect, type GradientContext, type OpDefinition, upstream } from './definition.js';

const kept = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((size, axis) => (axes.includes(axis) ? 1 : size));

/** How many elements go into one of the result. */
const folded = (shape: Shape, axes: readonly number[]): number =>
  sizeOf(shape.filter((_, axis) => axes.includes(axis)));

function reduction(
  gradient: (context: GradientContext, dy: ValueId, shape: Shape, axes: readonly number[]) => ValueId,
): OpDefinition {
  return {
    infer(inputs, attributes) {
      const { dtype, shape } = argument(inputs, 0);
      const axes = list(attributes, 'axes');
      expect(dtype === 'f32', 'a reduction is of f32');
      expect(
        axes.length > 0 && axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < shape.length),
        `axes [${axes.join()}] of rank ${shape.length}`,
      );
      return [
        f32(
          flag(attributes, 'keepdims') ? kept(shape, axes) : shape.filter((_, axis) => !axes.includes(axis)),
        ),
      ];
    },
    gradient(context) {
      const shape = context.builder.shapeOf(argument(context.inputs, 0));
      const axes = list(context.attributes, 'axes');
      const dy = context.builder.reshape(upstream(context), kept(shape, axes));
      return [gradient(context, dy, shape, axes)];
    },
    cost: (inputs) => sizeOf(argument(inputs, 0).shape),
  };
}

export const sum = reduction(({ builder }, dy, shape) => builder.expand(dy, shape));

export const mean = reduction(({ builder }, dy, shape, axes) =>
  builder.expand(builder.mul(dy, builder.scalar(1 / folded(shape, axes))), shape),
);

/** Equal maxima share the gradient. */
export const max = reduction(({ builder, inputs, outputs }, dy, shape, axes) => {
  const top = builder.reshape(argument(outputs, 0), kept(shape, axes));
  const hits = builder.cast(builder.equal(argument(inputs, 0), top), 'f32');
  return builder.mul(hits, builder.div(dy, builder.sum(hits, axes, true)));
});

/** Over the last axis. A row is read before it is written, element by element. */
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
