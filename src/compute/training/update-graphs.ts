/** The graphs of an optimiser on a device, and which parameters share a run of them. */
import { GraphBuilder } from '../tensor/builder.js';
import { type Shape, sizeOf } from '../tensor/shape.js';
import type { Graph, ValueId } from '../tensor/types.js';
import type { RuleGraph } from './optimizers/index.js';

/** What the graphs call the parameter itself, besides the names of its state. */
export const PARAMETER = 'parameter';

/** Numbers that are updated together at most, unless one parameter alone has more. */
const TOGETHER = 2 ** 18;

/**
 * What one run updates: parameters of one block, since a run of each alone takes longer to begin than to compute, and
 * blocks of one kind share a graph. Cut where more would take more memory than is worth while.
 */
export function parameterGroups<T extends { readonly name: string; readonly shape: Shape }>(
  trained: Iterable<T>,
): readonly (readonly T[])[] {
  const groups: T[][] = [];
  let [block, size] = ['', 0];
  for (const one of trained) {
    const own = /\d+/.exec(one.name)?.[0] ?? one.name;
    size += sizeOf(one.shape);
    if (own === block && size <= TOGETHER) groups.at(-1)?.push(one);
    else groups.push([one]);
    if (groups.at(-1)?.length === 1) size = sizeOf(one.shape);
    block = own;
  }
  return groups;
}

export const groupSize = (group: readonly { readonly shape: Shape }[]): number =>
  group.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** Adds the sums of gradients' squares, row by row: a float32 that thousands are added to rounds less. */
export function squaresGraph(shapes: readonly Shape[]): Graph {
  const b = new GraphBuilder('squares');
  const squares = shapes.map((shape, at) => {
    const gradient = b.input(`gradient.${at}`, shape);
    return [...shape.keys()]
      .reverse()
      .reduce((left, axis) => b.sum(left, [axis], false), b.mul(gradient, gradient));
  });
  b.output(
    'total',
    squares.reduce((sum, one) => b.add(sum, one), b.input('total', [])),
  );
  return b.build();
}

/** A parameter that a graph updates; `numbers` says which of the settings it has. */
interface GraphParameter {
  readonly shape: Shape;
  readonly numbers?: number;
}

/** Writes the next values of parameters and their state; `names` are those of the state. */
export function updateGraph(
  graph: RuleGraph,
  names: readonly string[],
  parts: readonly GraphParameter[],
): Graph {
  const b = new GraphBuilder('update');
  const known = new Map<string, ValueId>();
  for (const [at, { shape, numbers = 0 }] of parts.entries()) {
    const input = (name: string) => b.input(`${name}.${at}`, shape);
    const [gradient, parameter] = [input('gradient'), input(PARAMETER)];
    const slots = Object.fromEntries(names.map((name) => [name, input(name)]));
    const number = (name: string): ValueId => {
      const key = `number.${name}.${numbers}`;
      const value = known.get(key) ?? b.input(key, []);
      known.set(key, value);
      return value;
    };
    const results = graph.build(b, { parameter, gradient, slots, number });
    b.output(`${PARAMETER}.${at}`, results.parameter);
    for (const [name, value] of Object.entries(results.slots)) b.output(`${name}.${at}`, value);
  }
  return b.build();
}
