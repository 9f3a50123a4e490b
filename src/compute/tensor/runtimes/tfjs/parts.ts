/** Tensors that are larger than what a GPU takes in one piece: runs of their rows, each a tensor of its own. */
import { type Shape, sizeOf } from '../../shape.js';
import type { Tensor } from './library.js';
import { tooLargeForGpu } from './webgpu-out-of-memory.js';

/** What the memory has for a tensor: one of the library's, or several whose rows follow one another. */
export type Handle = readonly Tensor[];

/** Consecutive rows, along the first axis. */
export interface Run {
  readonly first: number;
  readonly rows: number;
}

/**
 * Runs of `rows` rows of so many bytes, each run at most `largest` bytes and all but the last a multiple of `multiple`
 * rows. Throws a `UserError` where so few rows are too many.
 */
export function runsOf(rows: number, rowBytes: number, largest: number, multiple = 1): readonly Run[] {
  if (rows * rowBytes <= largest) return [{ first: 0, rows }];
  const most = Math.floor(largest / rowBytes / multiple) * multiple;
  if (most === 0) throw tooLargeForGpu(Math.ceil(multiple * rowBytes), largest);
  return Array.from({ length: Math.ceil(rows / most) }, (_, at) => ({
    first: at * most,
    rows: Math.min(most, rows - at * most),
  }));
}

/** Of a value on a GPU, whatever its type. */
const VALUE_BYTES = 4;

export const bytesOnGpu = (shape: Shape): number => VALUE_BYTES * sizeOf(shape);

/** Whether a row of this shape is one piece. */
export const hasRuns = ([, ...rest]: Shape, largest: number): boolean => bytesOnGpu(rest) <= largest;

/** The runs that a tensor of this shape lies in, unless it is packed. */
export function runsOfShape(shape: Shape, largest: number): readonly Run[] {
  const [rows = 1, ...rest] = shape;
  return runsOf(rows, bytesOnGpu(rest), largest);
}

/** The shape of a run. */
export const shapeOfRun = ([first, ...rest]: Shape, { rows }: Run): Shape =>
  first === undefined ? [] : [rows, ...rest];

/** Where the elements of a run begin and end. */
export function elementsOf(shape: Shape, { first, rows }: Run): readonly [number, number] {
  const inner = sizeOf(shape.slice(1));
  return [first * inner, (first + rows) * inner];
}
