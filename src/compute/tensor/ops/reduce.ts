/** Reductions over a list of axes (counted from the front). */
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
    memory: {},
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
