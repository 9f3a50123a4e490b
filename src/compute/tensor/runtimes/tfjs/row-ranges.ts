/** Tensors that are larger than what a GPU takes in one piece: ranges of their rows, each a tensor of its own. */
import { type Shape, sizeOf } from '../../shape.js';
import type { Tensor } from './library.js';
import { tooLargeForGpu } from './webgpu-out-of-memory.js';

/** What the memory has for a tensor: one of the library's, or several whose rows follow one another. */
export type Handle = readonly Tensor[];

/** Consecutive rows, along the first axis. */
export interface RowRange {
  readonly first: number;
  readonly rows: number;
}

/**
 * Ranges of `rows` rows of so many bytes, each range at most `largest` bytes and all but the last a multiple of `multiple`
 * rows. Throws a `UserError` if so few rows are too many.
 */
export function rowRangesOf(
  rows: number,
  rowBytes: number,
  largest: number,
  multiple = 1,
): readonly RowRange[] {
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

/** The ranges that a tensor of this shape lies in, unless it is packed. */
export function rowRangesOfShape(shape: Shape, largest: number): readonly RowRange[] {
  const [rows = 1, ...rest] = shape;
  return rowRangesOf(rows, bytesOnGpu(rest), largest);
}

/** The shape of a range. */
export const rangeShape = ([first, ...rest]: Shape, { rows }: RowRange): Shape =>
  first === undefined ? [] : [rows, ...rest];

/** Where the elements of a range begin and end. */
export function elementRange(shape: Shape, { first, rows }: RowRange): readonly [number, number] {
  const inner = sizeOf(shape.slice(1));
  return [first * inner, (first + rows) * inner];
}
