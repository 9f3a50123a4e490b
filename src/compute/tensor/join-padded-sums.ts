/** Sums of pieces that lie in zeros of the whole's size: such as the gradient of what was taken apart by slices. */
import { number } from './attributes.js';
import type { Graph, Node, TensorType, ValueId } from './types.js';
import { countUses } from './uses.js';

/** Pieces that follow each other along an axis, and the zeros around them. */
interface PaddedConcat {
  readonly axis: number;
  readonly pieces: readonly ValueId[];
  readonly before: number;
  readonly after: number;
}

/**
 * Pieces side by side are put together: `add(pad(a), pad(b))` becomes `concat(a, b)`, padded where something is left. One
 * that lies within the other is added to it alone: `pad(add(pad(a), b))` passes over the size of b instead of the whole.
 */
export function joinPaddedSums(graph: Graph): Graph {
  const { types, nodes } = new PaddedSumJoiner(graph);
  return { ...graph, types, nodes };
}

/** The types and nodes of a graph, with its pieces joined. */
class PaddedSumJoiner {
  readonly types: TensorType[];
  readonly nodes: Node[] = [];
  private readonly runs = new Map<ValueId, PaddedConcat>();
  private readonly uses: ReturnType<typeof countUses>;

  constructor(graph: Graph) {
    this.types = [...graph.types];
    this.uses = countUses(graph);
    for (const node of graph.nodes) this.take(node);
  }

  private take(node: Node): void {
    const [left, right] = node.inputs;
    const [output] = node.outputs;
    if (node.op === 'pad' && output !== undefined && left !== undefined)
      this.runs.set(output, {
        axis: number(node.attributes, 'axis'),
        pieces: [left],
        before: number(node.attributes, 'before'),
        after: number(node.attributes, 'after'),
      });
    const joined =
      node.op === 'add' && left !== undefined && right !== undefined ? this.joined(left, right) : undefined;
    if (joined === undefined || output === undefined) this.nodes.push(node);
    else {
      this.runs.set(output, joined);
      this.place(joined, output);
    }
  }

  /** The run of both, where each is read here alone, and one begins where the other ends or lies within the other. */
  private joined(left: ValueId, right: ValueId): PaddedConcat | undefined {
    const [a, b] = [this.runs.get(left), this.runs.get(right)];
    if (a === undefined || b === undefined || a.axis !== b.axis) return undefined;
    if (this.uses.get(left) !== 1 || this.uses.get(right) !== 1) return undefined;
    const size = this.types[left]?.shape[a.axis] ?? 0;
    const [first, second] = a.before < b.before ? [a, b] : [b, a];
    if (size - first.after === second.before)
      return { ...first, pieces: [...first.pieces, ...second.pieces], after: second.after };
    for (const [inner, outer] of [
      [a, b],
      [b, a],
    ] as const)
      if (inner.before >= outer.before && inner.after >= outer.after) return this.sumWithin(inner, outer);
    return undefined;
  }

  private sumWithin(inner: PaddedConcat, outer: PaddedConcat): PaddedConcat {
    const { axis, before, after } = outer;
    const long = this.together(outer);
    const short = { ...inner, before: inner.before - before, after: inner.after - after };
    const [padded, sum] = [this.like(long), this.like(long)];
    this.place(short, padded);
    this.nodes.push({ op: 'add', inputs: [padded, long], outputs: [sum], attributes: {} });
    return { axis, pieces: [sum], before, after };
  }

  /** The pieces of a run as one value. */
  private together({ axis, pieces }: PaddedConcat): ValueId {
    const [first = 0] = pieces;
    if (pieces.length === 1) return first;
    const size = pieces.reduce((sum, piece) => sum + (this.types[piece]?.shape[axis] ?? 0), 0);
    const value = this.like(first, axis, size);
    this.nodes.push({ op: 'concat', inputs: pieces, outputs: [value], attributes: { axis } });
    return value;
  }

  /** Adds what computes `output`: a run in its zeros. */
  private place(run: PaddedConcat, output: ValueId): void {
    const { axis, pieces, before, after } = run;
    this.nodes.push(
      before === 0 && after === 0
        ? { op: 'concat', inputs: pieces, outputs: [output], attributes: { axis } }
        : {
            op: 'pad',
            inputs: [this.together(run)],
            outputs: [output],
            attributes: { axis, before, after },
          },
    );
  }

  /** A new value of the type of another, but for the size of an axis. */
  private like(value: ValueId, axis?: number, size = 0): ValueId {
    const type = this.types[value];
    if (type === undefined) throw new Error(`no type for the value ${value}`);
    const shape = type.shape.map((old, at) => (at === axis ? size : old));
    return this.types.push({ ...type, shape }) - 1;
  }
}
