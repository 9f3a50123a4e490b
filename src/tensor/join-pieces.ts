/** Sums of pieces that lie in zeros of the whole's size: such as the gradient of what was taken apart by slices. */
import { number } from './attributes.js';
import type { Graph, Node, TensorType, ValueId } from './types.js';
import { countUses } from './uses.js';

/** Pieces that follow each other along an axis, and the zeros around them. */
interface Run {
  readonly axis: number;
  readonly pieces: readonly ValueId[];
  readonly before: number;
  readonly after: number;
}

/**
 * Pieces side by side are put together: `add(pad(a), pad(b))` becomes `concat(a, b)`, padded where something is left. One
 * that lies within the other is added to it alone: `pad(add(pad(a), b))` passes over the size of b instead of the whole.
 */
export function joinPieces(graph: Graph): Graph {
  const uses = countUses(graph);
  const types: TensorType[] = [...graph.types];
  const runs = new Map<ValueId, Run>();
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    const [left, right] = node.inputs;
    const [output] = node.outputs;
    if (node.op === 'pad' && output !== undefined && left !== undefined)
      runs.set(output, {
        axis: number(node.attributes, 'axis'),
        pieces: [left],
        before: number(node.attributes, 'before'),
        after: number(node.attributes, 'after'),
      });
    const joined =
      node.op === 'add' && left !== undefined && right !== undefined ? joinedOf(left, right) : undefined;
    if (joined === undefined || output === undefined) nodes.push(node);
    else {
      runs.set(output, joined);
      place(joined, output);
    }
  }
  return { ...graph, types, nodes };

  /** The run of both, where each is read here alone, and one begins where the other ends or lies within the other. */
  function joinedOf(left: ValueId, right: ValueId): Run | undefined {
    const [a, b] = [runs.get(left), runs.get(right)];
    if (a === undefined || b === undefined || a.axis !== b.axis) return undefined;
    if (uses.get(left) !== 1 || uses.get(right) !== 1) return undefined;
    const size = types[left]?.shape[a.axis] ?? 0;
    const [first, second] = a.before < b.before ? [a, b] : [b, a];
    if (size - first.after === second.before)
      return { ...first, pieces: [...first.pieces, ...second.pieces], after: second.after };
    for (const [inner, outer] of [
      [a, b],
      [b, a],
    ] as const)
      if (inner.before >= outer.before && inner.after >= outer.after) return sumWithin(inner, outer);
    return undefined;
  }

  function sumWithin(inner: Run, outer: Run): Run {
    const { axis, before, after } = outer;
    const long = together(outer);
    const short = { ...inner, before: inner.before - before, after: inner.after - after };
    const [padded, sum] = [like(long), like(long)];
    place(short, padded);
    nodes.push({ op: 'add', inputs: [padded, long], outputs: [sum], attributes: {} });
    return { axis, pieces: [sum], before, after };
  }

  /** The pieces of a run as one value. */
  function together({ axis, pieces }: Run): ValueId {
    const [first = 0] = pieces;
    if (pieces.length === 1) return first;
    const value = like(
      first,
      axis,
      pieces.reduce((sum, piece) => sum + (types[piece]?.shape[axis] ?? 0), 0),
    );
    nodes.push({ op: 'concat', inputs: pieces, outputs: [value], attributes: { axis } });
    return value;
  }

  /** Adds what computes `output`: a run in its zeros. */
  function place(run: Run, output: ValueId): void {
    const { axis, pieces, before, after } = run;
    nodes.push(
      before === 0 && after === 0
        ? { op: 'concat', inputs: pieces, outputs: [output], attributes: { axis } }
        : { op: 'pad', inputs: [together(run)], outputs: [output], attributes: { axis, before, after } },
    );
  }

  /** A new value of the type of another, but for the size of an axis. */
  function like(value: ValueId, axis?: number, size = 0): ValueId {
    const type = types[value];
    if (type === undefined) throw new Error(`no type for the value ${value}`);
    return types.push({ ...type, shape: type.shape.map((old, at) => (at === axis ? size : old)) }) - 1;
  }
}
