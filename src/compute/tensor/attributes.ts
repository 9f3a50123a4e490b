/** Typed reads of a node's attributes; a missing or wrong one is a bug of the builder. */
import { GraphError } from './shape.js';
import type { Attributes } from './types.js';

export function number(attributes: Attributes, name: string): number {
  const value = attributes[name];
  if (typeof value !== 'number') throw new GraphError(`attribute ${name} must be a number`);
  return value;
}

export function flag(attributes: Attributes, name: string): boolean {
  const value = attributes[name];
  if (typeof value !== 'boolean') throw new GraphError(`attribute ${name} must be true or false`);
  return value;
}

export function text(attributes: Attributes, name: string): string {
  const value = attributes[name];
  if (typeof value !== 'string') throw new GraphError(`attribute ${name} must be a string`);
  return value;
}

export function list(attributes: Attributes, name: string): readonly number[] {
  const value = attributes[name];
  if (typeof value !== 'object') throw new GraphError(`attribute ${name} must be a list of numbers`);
  return value;
}
