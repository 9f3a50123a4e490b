/** What a compiled graph does, one kernel or a few at a time. */
import { argument } from '../../ops/definition.js';
import { isOp } from '../../ops/index.js';
import { arrange, executionOrder } from '../../order.js';
import { GraphError, type Shape, sameShape, sizeOf } from '../../shape.js';
import type { Graph, Node, ValueId } from '../../types.js';
import { countUses } from '../../uses.js';
import { TAKES_PACKED } from './gpu-lowerings.js';
import type { TfjsName } from './installed.js';
import { ROW_KERNEL } from './kernels/names.js';
import type { Lowering } from './lowering.js';
import { loweringOf } from './lowerings.js';

export interface Step {
  readonly node: Node;
  readonly lowering: Lowering;
  /** The input that may be packed. */
  readonly takesPacked?: number;
  /** Values that nothing reads after this step. */
  readonly last: readonly ValueId[];
}

type Work = Omit<Step, 'last'>;

/** Two nodes that one kernel of the GPU takes the place of, where nobody else reads what is between them. */
interface Fusion {
  readonly op: string;
  readonly producer: string;
  /** The lowering over the producer's inputs and the other inputs of the node; `undefined` where shapes do not fit. */
  readonly lower: (inputs: readonly Shape[]) => Lowering | undefined;
}

const withoutLeadingOnes = (shape: Shape): Shape => {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? [] : shape.slice(first);
};

const FUSIONS: readonly Fusion[] = [
  {
    op: 'softmax',
    producer: 'add',
    lower([x = [], mask = []]) {
      const own = withoutLeadingOnes(mask);
      if (own.length === 0 || !sameShape(own, x.slice(x.length - own.length))) return undefined;
      const attributes = { width: x.at(-1), period: sizeOf(own) };
      return (c) => [
        c.kernel(
          ROW_KERNEL.maskedSoftmax,
          { x: argument(c.inputs, 0), mask: argument(c.inputs, 1) },
          attributes,
        ),
      ];
    },
  },
  {
    op: 'mul',
    producer: 'silu',
    lower: ([x = [], y = []]) =>
      sameShape(x, y)
        ? (c) => [c.kernel(ROW_KERNEL.swiGlu, { x: argument(c.inputs, 0), y: argument(c.inputs, 1) })]
        : undefined,
  },
];

function fused(graph: Graph, order: readonly Node[]): readonly Work[] {
  const uses = countUses(graph);
  const producers = new Map(order.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const gone = new Set<Node>();
  const shapeOf = (value: ValueId): Shape => argument(graph.types, value).shape;
  const works = order.map((node): Work => {
    const [between = -1, ...others] = node.inputs;
    const producer = producers.get(between);
    for (const fusion of FUSIONS) {
      if (fusion.op !== node.op || fusion.producer !== producer?.op || uses.get(between) !== 1) continue;
      const inputs = [...producer.inputs, ...others];
      const lowering = fusion.lower(inputs.map(shapeOf));
      if (lowering === undefined) continue;
      gone.add(producer);
      return { node: { ...node, inputs }, lowering };
    }
    return plain('webgpu', node);
  });
  return works.filter(({ node }) => !gone.has(node));
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
  const order = executionOrder<ValueId, Node>(arrange<ValueId, Node>(graph.nodes));
  const works = name === 'webgpu' ? fused(graph, order) : order.map((node) => plain(name, node));
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
