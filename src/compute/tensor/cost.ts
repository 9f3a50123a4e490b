/** What a graph costs in arithmetic. */
import { argument } from './ops/definition.js';
import { OPS } from './ops/index.js';
import type { Graph, ValueId } from './types.js';

/** Floating-point operations of one run, a multiply-add counted as two. */
export function flopsOf({ nodes, types }: Graph): number {
  const typeOf = (value: ValueId) => argument(types, value);
  return nodes.reduce(
    (total, { op, inputs, outputs, attributes }) =>
      total + OPS[op].cost(inputs.map(typeOf), outputs.map(typeOf), attributes),
    0,
  );
}
