/**
 * The order in which ONNX Runtime runs a graph: a depth-first walk against the edges from the nodes without a
 * consumer, last-listed first, and at each node the producer with the highest number first
 * (`Graph::ReverseDFSFrom` with `NodeCompare`, onnxruntime/core/graph/graph.cc).
 */
import type { Graph, Node, ValueId } from './types.js';

/** Nodes whose outputs no node reads. */
function isLeaf(graph: Graph): (node: Node) => boolean {
  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  return (node) => !node.outputs.some((output) => read.has(output));
}

/**
 * Lists nodes so that the runtime's walk visits leaves in the order of the given list: a weight gradient then
 * runs as soon as its inputs are there, and what it needs doesn't stay alive to the end.
 */
export function arrange(graph: Graph): Graph {
  const leaf = isLeaf(graph);
  return {
    ...graph,
    nodes: [...graph.nodes.filter((node) => !leaf(node)), ...graph.nodes.filter(leaf).reverse()],
  };
}

/** The nodes in the order in which the runtime runs them. */
export function executionOrder(graph: Graph): readonly Node[] {
  const producers = new Map<ValueId, number>();
  graph.nodes.forEach((node, index) => {
    for (const output of node.outputs) producers.set(output, index);
  });
  const leaf = isLeaf(graph);
  const visited = new Set<number>();
  const order: Node[] = [];
  const stack = graph.nodes.flatMap((node, index) => (leaf(node) ? [{ index, leave: false }] : []));
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const node = graph.nodes[entry.index];
    if (node === undefined) continue;
    if (entry.leave) {
      order.push(node);
      continue;
    }
    if (visited.has(entry.index)) continue;
    visited.add(entry.index);
    stack.push({ index: entry.index, leave: true });
    const before = [...new Set(node.inputs.flatMap((input) => producers.get(input) ?? []))];
    for (const index of before.sort((a, b) => a - b))
      if (!visited.has(index)) stack.push({ index, leave: false });
  }
  return order;
}
