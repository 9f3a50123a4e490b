import type { GraphBuilder } from '../builder.js';
import { type Shape, sameShape } from '../shape.js';
import type { ValueId } from '../types.js';

/** The gradient of a broadcast: sums over the axes along which a value of `shape` was repeated. */
export function sumTo(builder: GraphBuilder, value: ValueId, shape: Shape): ValueId {
  const from = builder.shapeOf(value);
  if (sameShape(from, shape)) return value;
  const missing = from.length - shape.length;
  const axes = from
    .map((_, axis) => axis)
    .filter((axis) => axis < missing || shape[axis - missing] !== from[axis]);
  const summed = axes.length === 0 ? value : builder.sum(value, axes, true);
  return builder.reshape(summed, shape);
}
