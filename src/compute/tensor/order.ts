/**
 * The order in which ONNX Runtime runs a graph: a depth-first walk against the edges from the nodes without a
 * consumer, last-listed first, and at each node the producer with the highest number first
 * (`Graph::ReverseDFSFrom` with `NodeCompare`, onnxruntime/core/graph/graph.cc).
 */

/** A node of a graph or of what it is lowered to. */
interface NodeEdges<Value> {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** Whether no other step reads an output. */
function leaves<Value>(steps: readonly NodeEdges<Value>[]): (step: NodeEdges<Value>) => boolean {
  const read = new Set(steps.flatMap((step) => step.inputs));
  return (step) => !step.outputs.some((output) => read.has(output));
}

/**
 * Lists steps so that the runtime's walk visits a leaf when the last of what it reads has been listed: a weight
 * gradient then runs as soon as its inputs are there, and what it needs doesn't stay alive to the end.
 */
export function arrange<Value, Node extends NodeEdges<Value>>(
  steps: readonly (Node & NodeEdges<Value>)[],
): readonly Node[] {
  const leaf = leaves<Value>(steps);
  const given = producers(steps);
  const ready = ({ inputs }: NodeEdges<Value>) =>
    Math.max(-1, ...inputs.map((input) => given.get(input) ?? -1));
  const last = steps.filter(leaf).map((step) => ({ step, ready: ready(step) }));
  return [
    ...steps.filter((step) => !leaf(step)),
    ...last
      .sort((a, b) => a.ready - b.ready)
      .map(({ step }) => step)
      .reverse(),
  ];
}

/** The number of the step that computes a value. */
const producers = <Value>(steps: readonly NodeEdges<Value>[]): ReadonlyMap<Value, number> =>
  new Map(steps.flatMap(({ outputs }, index) => outputs.map((output) => [output, index] as const)));

/** The steps in the order in which the runtime runs them. */
export function executionOrder<Value, Node extends NodeEdges<Value>>(
  steps: readonly (Node & NodeEdges<Value>)[],
): readonly Node[] {
  const given = producers(steps);
  const leaf = leaves<Value>(steps);
  const visited = new Set<number>();
  const order: Node[] = [];
  const stack = steps.flatMap((step, index) => (leaf(step) ? [{ index, leave: false }] : []));
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const step = steps[entry.index];
    if (step === undefined) continue;
    if (entry.leave) {
      order.push(step);
      continue;
    }
    if (visited.has(entry.index)) continue;
    visited.add(entry.index);
    stack.push({ index: entry.index, leave: true });
    const before = [...new Set(step.inputs.flatMap((input) => given.get(input) ?? []))];
    for (const index of before.sort((a, b) => a - b))
      if (!visited.has(index)) stack.push({ index, leave: false });
  }
  return order;
}
