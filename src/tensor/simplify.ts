/** Rewrites that keep the meaning and cost less. */
import { flag, number } from './attributes.js';
import { joinPieces } from './join-pieces.js';
import { restrict } from './restrict.js';
import { sameShape } from './shape.js';
import type { Graph, Node, ValueId } from './types.js';
import { countUses } from './uses.js';

/** Applies every rewrite, then drops what is no longer used. */
export const simplify = (graph: Graph): Graph => restrict(fuseProducts(joinPieces(restrict(graph))));

/**
 * Terms of a sum of products from which on a fused addend costs less than an addition behind the product: ONNX Runtime
 * copies it into the result first, in one thread, and of a short sum that copy is most of the time.
 */
const FEWEST_TERMS = 65;

/**
 * `add(matmul(a, b), c)` of matrices becomes `gemm(a, b, c)`: one pass over the result fewer, and a gradient
 * that is added to an accumulator needs no buffer of its own. Products of an adapter's rank stay as they are.
 */
export function fuseProducts(graph: Graph): Graph {
  const uses = countUses(graph);
  const producers = new Map<ValueId, Node>();
  const fused = new Set<Node>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const replacement = node.op === 'add' ? fuse(graph, node, producers, uses) : undefined;
    if (replacement !== undefined) fused.add(replacement.product);
    const emitted = replacement?.node ?? node;
    for (const output of emitted.outputs) producers.set(output, emitted);
    nodes.push(emitted);
  }
  return { ...graph, nodes: nodes.filter((node) => !fused.has(node)) };
}

function fuse(
  graph: Graph,
  node: Node,
  producers: ReadonlyMap<ValueId, Node>,
  uses: ReadonlyMap<ValueId, number>,
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
    if (termsOf(graph, product) < FEWEST_TERMS) continue;
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

/** Of each value of a product. */
function termsOf({ types }: Graph, { inputs, attributes }: Node): number {
  const [first] = inputs;
  const shape = first === undefined ? undefined : types[first]?.shape;
  return shape?.at(flag(attributes, 'transA') ? -2 : -1) ?? 0;
}
