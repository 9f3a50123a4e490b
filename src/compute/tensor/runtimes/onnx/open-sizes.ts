/** A model for any sizes of some dimensions, from a graph in which a size stands for each. */
import { list, number } from '../../attributes.js';
import type { Attributes, Node, TensorType, ValueId } from '../../types.js';

/**
 * What ONNX has for a size that is not known: in the shape of an input, and in that of a reshape, where it follows from
 * the others.
 */
const ANY = -1;
/** What a slice to the end ends at. */
const END = 2 ** 31 - 1;

export const openShape = (shape: readonly number[], open: readonly number[] = []): readonly number[] =>
  shape.map((size) => (isOpen(size, open) ? ANY : size));

/** Whether a size stands for others: it is one of those that are open, or so many times one. */
export const isOpen = (size: number, open: readonly number[] = []): boolean =>
  size > 0 && open.some((one) => size % one === 0);

/** The attributes of a node, without these sizes: the shapes that it names, and places that it counts from the front. */
export function openAttributes(
  { op, inputs, attributes }: Node,
  typeOf: (value: ValueId) => TensorType,
  open: readonly number[] = [],
): Attributes {
  if (op === 'reshape') return { ...attributes, shape: openShape(list(attributes, 'shape'), open) };
  if (op !== 'slice') return attributes;
  const [input] = inputs;
  const size = (input === undefined ? undefined : typeOf(input).shape.at(number(attributes, 'axis'))) ?? 0;
  const fromEnd = (name: string): number => {
    const place = number(attributes, name);
    if (open.every((one) => place < one)) return place;
    return place === size ? END : place - size;
  };
  return { ...attributes, start: fromEnd('start'), end: fromEnd('end') };
}
