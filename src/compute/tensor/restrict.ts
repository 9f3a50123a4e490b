/** Dead-code elimination: what is needed for some outputs, and nothing else. */
import type { Graph, NamedValue, Node } from './types.js';

/** The part of a graph that computes `outputs` (default: its own). Value numbers are kept. */
export function restrict(graph: Graph, outputs: readonly NamedValue[] = graph.outputs): Graph {
  const needed = new Set(outputs.map((output) => output.value));
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
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
