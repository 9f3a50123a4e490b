/**
 * Products that are added to a sum where the sum lies. Everything that ONNX Runtime calls a product either writes a
 * result of its own, which one more pass then adds, or first copies the addend, in one thread. Only its convolution
 * leaves out the copy if the addend has been given the place of the result, and a convolution of width one is a product.
 */
import { flag, number } from '../../attributes.js';
import { f32, sizeOf } from '../../shape.js';
import type { Constant, Graph, Node, TensorType, ValueId } from '../../types.js';
import { countUses } from '../../uses.js';

/** Values of a sum from which a pass over it costs more than the nodes that lay a product out; measured on two cores. */
export const LEAST_SUM = 2 ** 18;

/** Values of a second factor up to which it may be transposed for this. */
const TRANSPOSED = 2 ** 16;

/**
 * Replaces `add(sum, matmul(a, b))` of matrices of at least so many values by `gemm(a, b, sum)` of shapes `[m, k, 1]`,
 * `[1, k, n]` and `[1, m, n]`, if nothing else reads the sum or the product: the memory plan then lets the result
 * overwrite the sum. An output keeps its name, and has the shape `[1, m, n]`.
 */
export function accumulateInPlace(graph: Graph, least: number): Graph {
  const pass = new InPlaceSums(graph, least);
  for (const node of graph.nodes) pass.take(node);
  return pass.result();
}

interface ProductSum {
  readonly product: Node;
  readonly addend: ValueId;
}

class InPlaceSums {
  private readonly graph: Graph;
  private readonly types: TensorType[];
  private readonly constants: Constant[];
  private readonly nodes: Node[] = [];
  private readonly absorbed = new Set<Node>();
  private readonly uses: ReadonlyMap<ValueId, number>;
  /** Sums as they are computed, by the values that they are a view for. */
  private readonly sums = new Map<ValueId, ValueId>();
  /** Of values that lie in memory of their own: no views. */
  private readonly producers = new Map<ValueId, Node>();

  constructor(
    graph: Graph,
    private readonly least: number,
  ) {
    this.graph = graph;
    this.types = [...graph.types];
    this.constants = [...graph.constants];
    this.uses = countUses(graph);
  }

  take(node: Node): void {
    const found = node.op === 'add' ? this.find(node) : undefined;
    if (found === undefined) this.nodes.push(node);
    else this.accumulate(node, found);
    if (node.op !== 'reshape') for (const output of node.outputs) this.producers.set(output, node);
  }

  result(): Graph {
    const nodes = this.nodes.filter((node) => !this.absorbed.has(node));
    const outputs = this.graph.outputs.map(({ name, value }) => ({
      name,
      value: this.sums.get(value) ?? value,
    }));
    return { ...this.graph, types: this.types, constants: this.constants, nodes, outputs };
  }

  private find({ inputs: [left, right], outputs: [sum] }: Node): ProductSum | undefined {
    if (left === undefined || right === undefined || sum === undefined) return undefined;
    const size = this.size(sum);
    if (this.shape(sum).length !== 2 || size < this.least) return undefined;
    for (const [value, addend] of [
      [right, left],
      [left, right],
    ] as const) {
      const product = this.producers.get(value);
      const isOwn = this.producers.has(addend) && this.uses.get(addend) === 1 && this.size(addend) === size;
      if (product?.op !== 'matmul' || this.uses.get(value) !== 1 || !isOwn) continue;
      const { inputs, attributes } = product;
      const small = this.size(inputs[1] ?? value) <= TRANSPOSED;
      if (!flag(attributes, 'transA') && (small || !flag(attributes, 'transB'))) return { product, addend };
    }
    return undefined;
  }

  private accumulate({ outputs }: Node, { product, addend }: ProductSum): void {
    this.absorbed.add(product);
    const [a = addend, b = addend] = product.inputs;
    const [m = 1, n = 1] = this.shape(addend);
    const k = this.size(a) / m;
    const second = flag(product.attributes, 'transB') ? this.transposed(b, [k, n]) : b;
    const alpha = number(product.attributes, 'alpha');
    const [first, last] =
      alpha === 1 ? [a, second] : m <= n ? [this.scaled(a, alpha), second] : [a, this.scaled(second, alpha)];
    const inputs = [this.view(first, [m, k, 1]), this.view(last, [1, k, n]), this.view(addend, [1, m, n])];
    const attributes = { transA: false, transB: false, alpha: 1 };
    const sum = this.emit('gemm', inputs, [1, m, n], attributes);
    this.nodes.push({ op: 'reshape', inputs: [sum], outputs, attributes: { shape: [m, n] } });
    for (const output of outputs) this.sums.set(output, sum);
  }

  private transposed = (value: ValueId, shape: readonly number[]): ValueId =>
    this.emit('transpose', [value], shape, { perm: [1, 0] });

  private view = (value: ValueId, shape: readonly number[]): ValueId =>
    this.emit('reshape', [value], shape, { shape });

  private scaled(value: ValueId, factor: number): ValueId {
    const scalar = this.types.push(f32([])) - 1;
    this.constants.push({ value: scalar, data: Float32Array.of(factor) });
    return this.emit('mul', [value, scalar], this.shape(value), {});
  }

  private emit(
    op: Node['op'],
    inputs: readonly ValueId[],
    shape: readonly number[],
    attributes: Node['attributes'],
  ): ValueId {
    const value = this.types.push(f32(shape)) - 1;
    this.nodes.push({ op, inputs, outputs: [value], attributes });
    return value;
  }

  private shape = (value: ValueId): readonly number[] => this.types[value]?.shape ?? [];

  private size = (value: ValueId): number => sizeOf(this.shape(value));
}
