/**
 * Fewer views: for a single token a runtime spends as much on a node as on what most of them compute. A transposition that moves
 * only axes of size 1 is a view too; a view of a view becomes one view, and a view of its own shape is removed.
 */

import { list } from './attributes.js';
import { argument } from './ops/definition.js';
import { sameShape } from './shape.js';
import type { Graph, Node, ValueId } from './types.js';
import { restrict } from './uses.js';

export function joinViews(graph: Graph): Graph {
  const shapeOf = (value: ValueId) => argument(graph.types, value).shape;
  /** What each view is of, and the value that has its place where that has its shape. */
  const sources = new Map<ValueId, ValueId>();
  const same = new Map<ValueId, ValueId>();
  const nodes = graph.nodes.map((node): Node => {
    const inputs = node.inputs.map((input) => same.get(input) ?? input);
    const [input] = inputs;
    const [output] = node.outputs;
    if (input === undefined || output === undefined || !isView(node, shapeOf)) return { ...node, inputs };
    const source = sources.get(input) ?? input;
    sources.set(output, source);
    const shape = shapeOf(output);
    if (sameShape(shape, shapeOf(source))) same.set(output, source);
    return { op: 'reshape', inputs: [source], outputs: [output], attributes: { shape } };
  });
  return restrict({ ...graph, nodes });
}

function isView(
  { op, inputs: [input], attributes }: Node,
  shapeOf: (value: ValueId) => readonly number[],
): boolean {
  if (op !== 'transpose' || input === undefined) return op === 'reshape';
  const shape = shapeOf(input);
  const moved = list(attributes, 'perm').filter((axis) => shape[axis] !== 1);
  return moved.every((axis, place) => place === 0 || axis > (moved[place - 1] ?? 0));
}
