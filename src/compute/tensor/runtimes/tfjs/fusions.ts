/** Nodes that a kernel of the GPU takes the place of, or a few, where nothing else reads what is between them. */
import { number } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import { type Shape, sameShape, sizeOf } from '../../shape.js';
import type { Graph, Node, ValueId } from '../../types.js';
import { countUses } from '../../uses.js';
import { crossEntropy } from './gpu-lowerings.js';
import { ROW_KERNEL } from './kernels/kernel-names.js';
import type { Lowering } from './lowering.js';

/** What a compiled graph does in one step. */
export interface NodeLowering {
  readonly node: Node;
  readonly lowering: Lowering;
  /** The input that may be packed. */
  readonly takesPacked?: number;
}

/** The work that takes the place of a node and of those that are gone with it. */
interface FusedNodes extends NodeLowering {
  readonly replaced: readonly Node[];
}

/** What is asked of a graph around a node. */
interface Surroundings {
  readonly producer: (value: ValueId | undefined) => Node | undefined;
  /** The node of this op that reads a value. */
  readonly reader: (value: ValueId | undefined, op: string) => Node | undefined;
  /** How often a value is read; an output counts once. */
  readonly uses: (value: ValueId | undefined) => number;
  readonly shapeOf: (value: ValueId) => Shape;
}

/** By the op of the node that it is looked for at; `undefined` if the graph or its shapes do not fit. */
type FusionRule = (node: Node, around: Surroundings) => FusedNodes | undefined;

const withoutLeadingOnes = (shape: Shape): Shape => {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? [] : shape.slice(first);
};

/** A node together with what computes its first input. */
const withProducer =
  (op: string, lower: (inputs: readonly Shape[]) => Lowering | undefined): FusionRule =>
  (node, { producer, uses, shapeOf }) => {
    const [between, ...others] = node.inputs;
    const before = producer(between);
    if (before?.op !== op || uses(between) !== 1) return undefined;
    const inputs = [...before.inputs, ...others];
    const lowering = lower(inputs.map(shapeOf));
    return lowering && { node: { ...node, inputs }, lowering, replaced: [before] };
  };

const maskedSoftmax = withProducer('add', ([x = [], mask = []]) => {
  const own = withoutLeadingOnes(mask);
  if (own.length === 0 || !sameShape(own, x.slice(x.length - own.length))) return undefined;
  const attributes = { width: x.at(-1), period: sizeOf(own) };
  return (c) => [
    c.kernel(ROW_KERNEL.maskedSoftmax, { x: argument(c.inputs, 0), mask: argument(c.inputs, 1) }, attributes),
  ];
});

const swiGlu = withProducer('silu', ([x = [], y = []]) =>
  sameShape(x, y)
    ? (c) => [c.kernel(ROW_KERNEL.swiGlu, { x: argument(c.inputs, 0), y: argument(c.inputs, 1) })]
    : undefined,
);

/**
 * Cross entropy as `models/architectures/graphs/head.ts` builds it: log p at a column of each row, and where it
 * is asked for, the gradient p·u − u at that column. No array of logarithms or probabilities is made.
 */
const labelled: FusionRule = (node, { producer, reader, uses, shapeOf }) => {
  const [logits = -1] = node.inputs;
  const [logs] = node.outputs;
  const picking = reader(logs, 'gatherElements');
  if (picking === undefined || number(picking.attributes, 'axis') !== 1) return undefined;
  const [rows = 0] = shapeOf(logits);
  const [, indices = -1] = picking.inputs;
  const isColumn = (value: ValueId) => sameShape(shapeOf(value), [rows, 1]);
  if (!isColumn(indices)) return undefined;
  const inputs = [logits, indices];
  if (uses(logs) === 1)
    return {
      node: { ...node, inputs, outputs: picking.outputs },
      lowering: crossEntropy,
      replaced: [picking],
    };

  const probabilities = reader(logs, 'exp');
  const spread = probabilities && reader(probabilities.outputs[0], 'mul');
  const scattered = spread && reader(spread.outputs[0], 'scatterElements');
  const subtracted = producer(scattered?.inputs[2]);
  if (
    probabilities === undefined ||
    spread === undefined ||
    scattered === undefined ||
    subtracted === undefined
  )
    return undefined;
  const [, upstream = -1] = spread.inputs;
  const fits =
    uses(logs) === 2 &&
    uses(probabilities.outputs[0]) === 1 &&
    uses(spread.outputs[0]) === 1 &&
    uses(subtracted.outputs[0]) === 1 &&
    spread.inputs[0] === probabilities.outputs[0] &&
    scattered.inputs[0] === spread.outputs[0] &&
    scattered.inputs[1] === indices &&
    number(scattered.attributes, 'axis') === 1 &&
    subtracted.op === 'neg' &&
    subtracted.inputs[0] === upstream &&
    isColumn(upstream) &&
    // not computed from the losses themselves
    producer(producer(upstream)?.inputs[0] ?? upstream) === undefined;
  if (!fits) return undefined;
  return {
    node: { ...node, inputs: [...inputs, upstream], outputs: [...picking.outputs, ...scattered.outputs] },
    lowering: crossEntropy,
    replaced: [picking, probabilities, spread, subtracted, scattered],
  };
};

const FUSIONS: Readonly<Record<string, FusionRule>> = {
  softmax: maskedSoftmax,
  mul: swiGlu,
  logSoftmax: labelled,
};

/** A graph's nodes without those that are gone, and the work of those that took their places. */
export function fused(graph: Graph): {
  readonly nodes: readonly Node[];
  readonly works: ReadonlyMap<Node, NodeLowering>;
} {
  const around = surroundings(graph);
  const gone = new Set<Node>();
  const works = new Map<Node, NodeLowering>();
  const nodes = graph.nodes.map((given) => {
    const found = FUSIONS[given.op]?.(given, around);
    for (const other of found?.replaced ?? []) gone.add(other);
    if (found !== undefined) works.set(found.node, found);
    return { given, node: found?.node ?? given };
  });
  return { nodes: nodes.filter(({ given }) => !gone.has(given)).map(({ node }) => node), works };
}

function surroundings(graph: Graph): Surroundings {
  const uses = countUses(graph);
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)),
  );
  return {
    producer: (value = -1) => producers.get(value),
    reader: (value = -1, op) => graph.nodes.find((node) => node.op === op && node.inputs.includes(value)),
    uses: (value = -1) => uses.get(value) ?? 0,
    shapeOf: (value) => argument(graph.types, value).shape,
  };
}
