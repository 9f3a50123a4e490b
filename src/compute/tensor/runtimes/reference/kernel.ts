/** What the plain interpreter computes with: everything is a float64, whatever its type in the graph. */
import { GraphError, type Shape, stridesOf } from '../../shape.js';
import type { Attributes, TensorType } from '../../types.js';

export interface ReferenceTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Fills the outputs, which are zero at the start. */
export type Kernel = (
  inputs: readonly ReferenceTensor[],
  outputs: readonly ReferenceTensor[],
  attributes: Attributes,
  types: readonly TensorType[],
) => void;

/** An element, or a bug. */
export function at(data: ArrayLike<number>, index: number): number {
  const value = data[index];
  if (value === undefined) throw new GraphError(`element ${index} of ${data.length}`);
  return value;
}

/** Calls `visit` with each index of a shape in row-major order, and its number. */
export function eachIndex(shape: Shape, visit: (index: readonly number[], number: number) => void): void {
  const total = shape.reduce((product, size) => product * size, 1);
  const index = shape.map(() => 0);
  for (let number = 0; number < total; number++) {
    visit(index, number);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = at(index, axis) + 1;
      if (at(index, axis) < at(shape, axis)) break;
      index[axis] = 0;
    }
  }
}

/** Position in `tensor` of an index of a shape that it broadcasts to. */
export function broadcastPosition(tensor: ReferenceTensor, index: readonly number[]): number {
  const skip = index.length - tensor.shape.length;
  return stridesOf(tensor.shape).reduce(
    (sum, stride, axis) => sum + (at(tensor.shape, axis) === 1 ? 0 : stride * at(index, axis + skip)),
    0,
  );
}

export const position = (shape: Shape, index: readonly number[]): number =>
  stridesOf(shape).reduce((sum, stride, axis) => sum + stride * at(index, axis), 0);
