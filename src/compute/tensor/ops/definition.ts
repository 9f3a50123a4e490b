/** What the step compiler knows of an op: one definition drives execution, gradients and the memory plan. */
import type { GraphBuilder } from '../builder.js';
import { GraphError, type Shape, sameShape } from '../shape.js';
import type { Attributes, TensorType, ValueId } from '../types.js';

export interface GradientContext {
  readonly builder: GraphBuilder;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
  readonly attributes: Attributes;
  /** Gradient of each output; `undefined` if nothing depends on it. */
  readonly gradients: readonly (ValueId | undefined)[];
  /** Whether the gradient of each input is asked for. */
  readonly needs: readonly boolean[];
}

interface MemoryRule {
  /** Inputs whose buffer the first output may take over, if it is their last use and the shape is equal. */
  readonly inPlace?: readonly number[];
  /** Input of which the first output is another view. */
  readonly alias?: number;
  /** Bytes that exist only while the op runs, besides inputs and outputs. */
  readonly workspace?: (
    inputs: readonly TensorType[],
    outputs: readonly TensorType[],
    attributes: Attributes,
  ) => number;
}

export interface OpDefinition {
  /** Types of the outputs. Throws a {@link GraphError} if the inputs don't fit. */
  readonly infer: (inputs: readonly TensorType[], attributes: Attributes) => readonly TensorType[];
  /** Gradient of each input, emitted through the builder; absent if the op has none. */
  readonly gradient?: (context: GradientContext) => readonly (ValueId | undefined)[];
  /** Floating-point operations, a multiply-add counted as two. */
  readonly cost: (
    inputs: readonly TensorType[],
    outputs: readonly TensorType[],
    attributes: Attributes,
  ) => number;
  /** Default: it overwrites nothing, gives no view and needs nothing besides. */
  readonly memory?: MemoryRule;
}

/** The input at a position. Throws a {@link GraphError} if it is missing. */
export function argument<T>(values: ArrayLike<T>, index: number): T {
  const value = values[index];
  if (value === undefined) throw new GraphError(`argument ${index} is missing`);
  return value;
}

/** Throws a {@link GraphError} where a rule of an op does not hold. */
export function expect(holds: boolean, message: string): asserts holds {
  if (!holds) throw new GraphError(message);
}

/** The gradient of the only differentiable output. */
export function upstream(context: GradientContext): ValueId {
  return argument(context.gradients as readonly ValueId[], 0);
}

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
