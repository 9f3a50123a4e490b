/** What a graph costs in arithmetic. */
import { isOp, OPS } from './ops/index.js';
import { GraphError } from './shape.js';
import type { Graph, TensorType, ValueId } from './types.js';

/** Floating-point operations of one run, a multiply-add counted as two. */
export function flopsOf(graph: Graph): number {
  const typeOf = (value: ValueId): TensorType => {
    const type = graph.types[value];
    if (type === undefined) throw new GraphError(`value ${value} has no type`);
    return type;
  };
  return graph.nodes.reduce(
    (total, node) =>
      total +
      (isOp(node.op)
        ? OPS[node.op].cost(node.inputs.map(typeOf), node.outputs.map(typeOf), node.attributes)
        : 0),
    0,
  );
}
