/** What a compiled graph does, one kernel or a few at a time. */
import { argument } from '../../ops/definition.js';
import { arrange, executionOrder } from '../../order.js';
import { fuseProducts } from '../../simplify.js';
import type { Graph, Node, ValueId } from '../../types.js';
import { fused, type NodeLowering } from './fusions.js';
import { TAKES_PACKED } from './gpu-lowerings.js';
import type { TfjsName } from './installed.js';
import type { LoweringContext } from './lowering.js';
import { loweringOf } from './lowerings.js';
import { loweredByRowRanges, lowersByRowRanges } from './row-range-lowerings.js';
import { bytesOnGpu, type Handle } from './row-ranges.js';

export interface KernelCall extends Pick<NodeLowering, 'node' | 'takesPacked'> {
  /** From the first parts of the inputs, and from all of them. */
  readonly lower: (context: LoweringContext, inputs: readonly Handle[]) => readonly Handle[];
  /** Values that nothing reads after this step. */
  readonly last: readonly ValueId[];
}

function plain(name: TfjsName, given: Node): NodeLowering {
  // the others are there for its gradient
  const node = given.op === 'adapted' ? { ...given, inputs: given.inputs.slice(0, 2) } : given;
  const takesPacked = name === 'webgpu' ? TAKES_PACKED[given.op] : undefined;
  return { node, lowering: loweringOf(name, given.op), takesPacked };
}

/** In the order that the memory plan counts on. */
function worksOf(name: TfjsName, graph: Graph): readonly NodeLowering[] {
  const { nodes, works: replaced } =
    name === 'webgpu' ? fused(fuseProducts(graph)) : { nodes: graph.nodes, works: undefined };
  const order = executionOrder<ValueId, Node>(arrange<ValueId, Node>(nodes));
  return order.map((node) => replaced?.get(node) ?? plain(name, node));
}

/** Whether something that it computes with, and does not read in parts anyway, is larger than a tensor may be. */
const isLarge = ({ types }: Graph, { node, takesPacked }: NodeLowering, largest: number): boolean =>
  [...node.inputs.filter((_, index) => index !== takesPacked), ...node.outputs].some(
    (value) => bytesOnGpu(argument(types, value).shape) > largest,
  );

/** Bytes of what a GPU refuses of a graph, as it takes no more than `largest` in one piece; default: nothing. */
export function refusedBytes(graph: Graph, largest: number): number | undefined {
  const typeOf = (value: ValueId) => argument(graph.types, value);
  const refused = worksOf('webgpu', graph)
    .filter((work) => isLarge(graph, work, largest))
    .flatMap((work) => {
      const { inputs, outputs, attributes } = work.node;
      const types = { inputTypes: inputs.map(typeOf), outputTypes: outputs.map(typeOf), attributes };
      return lowersByRowRanges(work, types, largest) ? [] : [...types.inputTypes, ...types.outputTypes];
    });
  return refused.length === 0 ? undefined : Math.max(...refused.map(({ shape }) => bytesOnGpu(shape)));
}

/** `largest`: bytes that a tensor may have in one piece. */
export function kernelCallsOf(
  name: TfjsName,
  graph: Graph,
  largest = Number.POSITIVE_INFINITY,
): readonly KernelCall[] {
  const works = worksOf(name, graph);
  const kept = new Set([...graph.outputs, ...graph.constants].map(({ value }) => value));
  const readers = new Map<ValueId, number>();
  works.forEach(({ node: { inputs, outputs } }, step) => {
    for (const value of [...outputs, ...inputs]) readers.set(value, step);
  });
  return works.map((work, step) => {
    const { node, lowering, takesPacked } = work;
    const touched = new Set([...node.inputs, ...node.outputs]);
    return {
      node,
      takesPacked,
      lower: isLarge(graph, work, largest)
        ? loweredByRowRanges(work, largest)
        : (c) => lowering(c).map((result) => [result]),
      last: [...touched].filter((value) => readers.get(value) === step && !kept.has(value)),
    };
  });
}
