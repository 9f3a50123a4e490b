/** Rewrites that keep the meaning and cost less. */
import { flag, number } from './attributes.js';
import { joinPaddedSums } from './join-padded-sums.js';
import { sameShape } from './shape.js';
import type { Graph, Node, ValueId } from './types.js';
import { countUses, restrict } from './uses.js';

/** Applies every rewrite that costs less on every runtime, then drops what is no longer used. */
export function simplify(graph: Graph): Graph {
  const joined = joinPaddedSums(restrict(graph));
  return restrict(fuseProducts(joined, isAccumulator(joined)));
}

/**
 * `add(matmul(a, b), c)` of matrices becomes `gemm(a, b, c)`, for the addends that are asked for: the product needs no
 * buffer of its own. It costs time on a CPU, where ONNX Runtime first copies the addend into the result, in one thread;
 * on a GPU it is a pass over the result fewer.
 */
export function fuseProducts(graph: Graph, isWanted: (addend: ValueId) => boolean = () => true): Graph {
  const uses = countUses(graph);
  const producers = new Map<ValueId, Node>();
  const fused = new Set<Node>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const replacement = node.op === 'add' ? fuse(graph, node, producers, uses, isWanted) : undefined;
    if (replacement !== undefined) fused.add(replacement.product);
    const emitted = replacement?.node ?? node;
    for (const output of emitted.outputs) producers.set(output, emitted);
    nodes.push(emitted);
  }
  return { ...graph, nodes: nodes.filter((node) => !fused.has(node)) };
}

/** An input that is read once: of a trained matrix its gradient so far, which is as large as the matrix. */
function isAccumulator(graph: Graph): (addend: ValueId) => boolean {
  const uses = countUses(graph);
  const inputs = new Set(graph.inputs.map(({ value }) => value));
  return (addend) => inputs.has(addend) && uses.get(addend) === 1;
}

function fuse(
  graph: Graph,
  node: Node,
  producers: ReadonlyMap<ValueId, Node>,
  uses: ReadonlyMap<ValueId, number>,
  isWanted: (addend: ValueId) => boolean,
): { readonly node: Node; readonly product: Node } | undefined {
  const [left, right] = node.inputs;
  const [sum] = node.outputs;
  if (left === undefined || right === undefined || sum === undefined) return undefined;
  const shape = graph.types[sum]?.shape ?? [];
  // the later product takes the earlier one as its addend
  for (const [value, addend] of [
    [right, left],
    [left, right],
  ] as const) {
    const product = producers.get(value);
    const same =
      sameShape(graph.types[value]?.shape ?? [], shape) && sameShape(graph.types[addend]?.shape ?? [], shape);
    if (product?.op !== 'matmul' || shape.length !== 2 || !same || uses.get(value) !== 1) continue;
    if (!isWanted(addend)) continue;
    const { attributes } = product;
    return {
      product,
      node: {
        op: 'gemm',
        inputs: [...product.inputs, addend],
        outputs: [sum],
        attributes: {
          transA: flag(attributes, 'transA'),
          transB: flag(attributes, 'transB'),
          alpha: number(attributes, 'alpha'),
        },
      },
    };
  }
  return undefined;
}
