/**
 * Splits a graph of a forward and a backward pass into two. What the backward pass needs of the forward one
 * is either saved or recomputed from the inputs: the less is saved, the more is recomputed.
 */

import { GraphError } from './shape.js';
import type { Graph, NamedValue } from './types.js';
import { restrict } from './uses.js';

interface PassGraphs {
  /** Gives the forward outputs, and each saved value as an output under its name. */
  readonly forward: Graph;
  /** Takes each saved value that it needs as an input under its name. */
  readonly backward: Graph;
}

/**
 * `forwardOutputs`: outputs of the first graph, all others are the second's. Throws a {@link GraphError} if `joint`
 * lacks one of them.
 */
export function rematerialise(
  joint: Graph,
  forwardOutputs: readonly string[],
  saved: readonly NamedValue[],
): PassGraphs {
  const first = joint.outputs.filter((output) => forwardOutputs.includes(output.name));
  const second = joint.outputs.filter((output) => !forwardOutputs.includes(output.name));
  if (first.length !== forwardOutputs.length)
    throw new GraphError(`${joint.name} has not all of the outputs ${forwardOutputs.join()}`);
  const cut = new Set(saved.map(({ value }) => value));
  const opened: Graph = {
    ...joint,
    inputs: [...joint.inputs, ...saved],
    // a node that gives a saved value besides another output still runs, under a new value
    nodes: joint.nodes.filter(
      (node) => node.op === 'fence' || !node.outputs.every((output) => cut.has(output)),
    ),
  };
  for (const node of opened.nodes)
    if (node.outputs.some((output) => cut.has(output)))
      throw new GraphError(`only the single output of a node can be saved, not one of ${node.op}`);
  return {
    forward: { ...restrict(joint, [...first, ...saved]), name: `${joint.name}.forward` },
    backward: { ...restrict(opened, second), name: `${joint.name}.backward` },
  };
}
