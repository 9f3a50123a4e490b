/** Typed reads of a node's attributes; a missing or wrong one is a bug of the builder. */
import { GraphError } from './shape.js';
import type { Attribute, Attributes } from './types.js';

const reader =
  <T extends Attribute>(isOne: (value: Attribute | undefined) => value is T, kind: string) =>
  (attributes: Attributes, name: string): T => {
    const value = attributes[name];
    if (!isOne(value)) throw new GraphError(`attribute ${name} must be ${kind}`);
    return value;
  };

export const number = reader((value) => typeof value === 'number', 'a number');
export const flag = reader((value) => typeof value === 'boolean', 'true or false');
export const text = reader((value) => typeof value === 'string', 'a string');
export const list = reader((value) => typeof value === 'object', 'a list of numbers');
