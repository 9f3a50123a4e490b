/** A model for any size of a dimension, from a graph in which one size stands for it. */
import { list, number } from '../../attributes.js';
import type { Attributes, Node, TensorType, ValueId } from '../../types.js';

/**
 * What ONNX has for a size that is not known: in the shape of an input, and in that of a reshape, where it follows from
 * the others.
 */
const ANY = -1;
/** What a slice to the end ends at. */
const END = 2 ** 31 - 1;

export const openShape = (shape: readonly number[], open: number | undefined): readonly number[] =>
  open === undefined ? shape : shape.map((size) => (size === open ? ANY : size));

/** The attributes of a node, without the size: the shapes that it names, and places that it counts from the front. */
export function openAttributes(
  { op, inputs, attributes }: Node,
  typeOf: (value: ValueId) => TensorType,
  open: number | undefined,
): Attributes {
  if (open === undefined) return attributes;
  if (op === 'reshape') return { ...attributes, shape: openShape(list(attributes, 'shape'), open) };
  if (op !== 'slice') return attributes;
  const [input] = inputs;
  const size = (input === undefined ? undefined : typeOf(input).shape.at(number(attributes, 'axis'))) ?? 0;
  const fromEnd = (name: string): number => {
    const place = number(attributes, name);
    if (place < open) return place;
    return place === size ? END : place - size;
  };
  return { ...attributes, start: fromEnd('start'), end: fromEnd('end') };
}
