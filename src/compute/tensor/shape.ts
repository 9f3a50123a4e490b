/** Arithmetic on shapes: row-major, fixed, no unknown dimension. */
import type { DType, TensorType } from './types.js';

/** A graph that is built wrongly: a bug of the caller, never of a user's file. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
}

export type Shape = readonly number[];

const BYTES: Readonly<Record<DType, number>> = { f32: 4, i32: 4, i64: 8, bool: 1 };

/** Elements of a shape; 1 for a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

export const bytesOf = (type: TensorType): number => BYTES[type.dtype] * sizeOf(type.shape);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

export const f32 = (shape: Shape): TensorType => ({ dtype: 'f32', shape });

/** The axis counted from the front. Throws a {@link GraphError} if there is none. */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(positive) || positive < 0 || positive >= rank)
    throw new GraphError(`axis ${axis} of a tensor of rank ${rank}`);
  return positive;
}

/** NumPy's rule: shapes are aligned at the last axis; sizes agree or one of them is 1. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1)
      throw new GraphError(`shapes [${a.join()}] and [${b.join()}] do not broadcast`);
    return left === 1 ? right : left;
  });
}

/** Elements that a step of one along each axis skips. */
export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return strides;
}

/** Sizes before, at and after an axis: a tensor seen as `[outer, size, inner]`. */
export function around(shape: Shape, axis: number): { outer: number; size: number; inner: number } {
  return {
    outer: sizeOf(shape.slice(0, axis)),
    size: shape[axis] ?? 1,
    inner: sizeOf(shape.slice(axis + 1)),
  };
}

export const withAxis = (shape: Shape, axis: number, size: number): Shape =>
  shape.map((old, index) => (index === axis ? size : old));
