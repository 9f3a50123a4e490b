/** A sum of pieces that lie side by side, each in zeros of the whole's size, is the pieces put together. */
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
 * `add(pad(a), pad(b))` becomes `concat(a, b)`, padded where something is left: the gradient of what was taken apart by
 * slices comes so, a slice at a time.
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
      nodes.push(...built(joined, output));
    }
  }
  return { ...graph, types, nodes };

  /** The run of both, where each is read here alone and one begins where the other ends. */
  function joinedOf(left: ValueId, right: ValueId): Run | undefined {
    const [a, b] = [runs.get(left), runs.get(right)];
    if (a === undefined || b === undefined || a.axis !== b.axis) return undefined;
    if (uses.get(left) !== 1 || uses.get(right) !== 1) return undefined;
    const size = types[left]?.shape[a.axis] ?? 0;
    const [first, second] = a.before < b.before ? [a, b] : [b, a];
    if (size - first.after !== second.before) return undefined;
    return { ...first, pieces: [...first.pieces, ...second.pieces], after: second.after };
  }

  function built({ axis, pieces, before, after }: Run, output: ValueId): readonly Node[] {
    const whole = before === 0 && after === 0;
    const type = types[output];
    if (type === undefined) return [];
    const size = (type.shape[axis] ?? 0) - before - after;
    const together = whole
      ? output
      : types.push({ ...type, shape: type.shape.map((old, at) => (at === axis ? size : old)) }) - 1;
    const concat: Node = { op: 'concat', inputs: pieces, outputs: [together], attributes: { axis } };
    if (whole) return [concat];
    const pad = { op: 'pad', inputs: [together], outputs: [output], attributes: { axis, before, after } };
    return [concat, pad];
  }
}
