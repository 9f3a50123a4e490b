/** Products in bfloat16, as PyTorch's autocast computes them. */
import type { Graph, Node, TensorType, ValueId } from './types.js';

/**
 * Rounds what goes into every matrix product and what comes out to bfloat16; sums within a product, and everything
 * else, stay in float32. To be applied after gradients were taken, whose products are rounded too, and before products
 * are fused with sums. Value numbers of the graph are kept.
 */
export function productsInBf16(graph: Graph): Graph {
  const types: TensorType[] = [...graph.types];
  const rounded = new Map<ValueId, ValueId>();
  const nodes: Node[] = [];
  const valueLike = (value: ValueId): ValueId => {
    const type = graph.types[value];
    if (type === undefined) throw new Error(`no value ${value} in ${graph.name}`);
    return types.push(type) - 1;
  };
  const round = (from: ValueId, to: ValueId): void => {
    nodes.push({ op: 'toBf16', inputs: [from], outputs: [to], attributes: {} });
    rounded.set(from, to);
  };
  const roundedOf = (value: ValueId): ValueId => {
    const known = rounded.get(value);
    if (known !== undefined) return known;
    const result = valueLike(value);
    round(value, result);
    return result;
  };
  for (const node of graph.nodes) {
    if (node.op !== 'matmul') {
      nodes.push(node);
      continue;
    }
    const inputs = node.inputs.map(roundedOf);
    const exact = node.outputs.map(valueLike);
    nodes.push({ ...node, inputs, outputs: exact });
    node.outputs.forEach((output, index) => {
      const from = exact[index];
      if (from !== undefined) round(from, output);
    });
  }
  return { ...graph, types, nodes };
}
