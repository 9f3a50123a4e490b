/** What a compiled graph does, one kernel or a few at a time. */
import { isOp } from '../../ops/index.js';
import { arrange, executionOrder } from '../../order.js';
import { GraphError } from '../../shape.js';
import type { Graph, Node, ValueId } from '../../types.js';
import { fused, type Work } from './fusions.js';
import { TAKES_PACKED } from './gpu-lowerings.js';
import type { TfjsName } from './installed.js';
import { loweringOf } from './lowerings.js';

export interface Step extends Work {
  /** Values that nothing reads after this step. */
  readonly last: readonly ValueId[];
}

function plain(name: TfjsName, given: Node): Work {
  if (!isOp(given.op)) throw new GraphError(`${given.op} is no known op`);
  // the others are there for its gradient
  const node = given.op === 'adapted' ? { ...given, inputs: given.inputs.slice(0, 2) } : given;
  const takesPacked = name === 'webgpu' ? TAKES_PACKED[given.op] : undefined;
  return { node, lowering: loweringOf(name, given.op), takesPacked };
}

/** In the order that the memory plan counts on. */
export function stepsOf(name: TfjsName, graph: Graph): readonly Step[] {
  const { nodes, works: replaced } =
    name === 'webgpu' ? fused(graph) : { nodes: graph.nodes, works: undefined };
  const order = executionOrder<ValueId, Node>(arrange<ValueId, Node>(nodes));
  const works = order.map((node) => replaced?.get(node) ?? plain(name, node));
  const kept = new Set([...graph.outputs, ...graph.constants].map(({ value }) => value));
  const readers = new Map<ValueId, number>();
  works.forEach(({ node: { inputs, outputs } }, step) => {
    for (const value of [...outputs, ...inputs]) readers.set(value, step);
  });
  return works.map((work, step) => {
    const touched = new Set([...work.node.inputs, ...work.node.outputs]);
    return { ...work, last: [...touched].filter((value) => readers.get(value) === step && !kept.has(value)) };
  });
}
