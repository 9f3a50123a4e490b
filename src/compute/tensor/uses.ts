/** What of a graph is read: how often, and what nothing needs. */
import type { Graph, NamedValue, Node, ValueId } from './types.js';

/** How often each value is read; being a graph output counts once. */
export function countUses(graph: Graph): Map<ValueId, number> {
  const uses = new Map<ValueId, number>();
  const count = (value: ValueId) => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(count);
  for (const output of graph.outputs) count(output.value);
  return uses;
}

/** Dead-code elimination: the part of a graph that computes `outputs` (default: its own). Value numbers are kept. */
export function restrict(graph: Graph, outputs: readonly NamedValue[] = graph.outputs): Graph {
  const needed = new Set(outputs.map((output) => output.value));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    const isNeeded =
      node.op === 'fence'
        ? node.inputs.every((input) => needed.has(input))
        : node.outputs.some((output) => needed.has(output));
    if (!isNeeded) continue;
    for (const input of node.inputs) needed.add(input);
    nodes.push(node);
  }
  return {
    ...graph,
    nodes: nodes.reverse(),
    inputs: graph.inputs.filter((input) => needed.has(input.value)),
    constants: graph.constants.filter((constant) => needed.has(constant.value)),
    outputs,
  };
}
