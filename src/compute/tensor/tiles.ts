/**
 * Matrices in tiles: `[rows, columns]` as `[rows / size, columns, size]`, the values of `size` rows next to each other. ONNX
 * Runtime's convolutions of width one read them as they are, as filters and as what is filtered, and so multiply by the
 * transpose of a matrix and by the matrix. Its products of matrices give the same bits, but copy each matrix into panels
 * first, which with few rows is up to a third of their time.
 */
import { flag, list, number } from './attributes.js';
import { argument } from './ops/definition.js';
import { f32 } from './shape.js';
import type { Attributes, Graph, NamedValue, Node, TensorType, ValueId } from './types.js';
import { countUses } from './uses.js';

/** Shape of a matrix in tiles, if it can be cut into them. */
export function tiledShape(shape: readonly number[], size: number): readonly number[] | undefined {
  const [rows = 0, columns = 0] = shape;
  const fits = shape.length === 2 && rows % size === 0 && columns % size === 0;
  return fits ? [rows / size, columns, size] : undefined;
}

/** Takes inputs of these names in tiles, where they are second factors of products and nothing else. */
export function tileInputs(graph: Graph, names: ReadonlySet<string>, size: number): Graph {
  const factors = secondFactors(graph);
  const types = [...graph.types];
  const turned: Node[] = [];
  const inputs = graph.inputs.map((input): NamedValue => {
    const { shape } = argument(types, input.value);
    const tiled = names.has(input.name) && factors.has(input.value) ? tiledShape(shape, size) : undefined;
    if (tiled === undefined) return input;
    const [groups = 0, columns = 0] = tiled;
    const value = types.push(f32(tiled)) - 1;
    const rows = types.push(f32([groups, size, columns])) - 1;
    turned.push(
      { op: 'transpose', inputs: [value], outputs: [rows], attributes: { perm: TURNED } },
      { op: 'reshape', inputs: [rows], outputs: [input.value], attributes: { shape } },
    );
    return { name: input.name, value };
  });
  return { ...graph, types, inputs, nodes: [...turned, ...graph.nodes] };
}

/** Of inputs of these names, those that {@link tileInputs} takes in tiles, with the places of these. */
export function tiledInputs(graph: Graph, names: Iterable<string>): ReadonlyMap<string, number> {
  const shapes = new Map(graph.inputs.map(({ name, value }) => [name, graph.types[value]?.shape ?? []]));
  return new Map(
    [...names].flatMap((name) => {
      const [, , size] = shapes.get(name) ?? [];
      return size === undefined ? [] : [[name, size] as const];
    }),
  );
}

const TURNED = [0, 2, 1];
/** Of `[1, 1, rows, columns]` to `[1, columns, 1, rows]` with the values of `size` columns next to each other, and back. */
const INTO_TILES = { perm: [0, 3, 1, 2], tiles: 'into' };
const OUT_OF_TILES = { perm: [0, 2, 3, 1], tiles: 'out of' };

/** Values that only plain products of matrices read, as their second factors. */
function secondFactors(graph: Graph): ReadonlySet<ValueId> {
  const uses = countUses(graph);
  const found = new Map<ValueId, number>();
  for (const node of graph.nodes) {
    const [x, factor] = node.inputs;
    if (factor === undefined || x === factor || !isPlainProduct(node, graph.types)) continue;
    found.set(factor, (found.get(factor) ?? 0) + 1);
  }
  return new Set([...found].filter(([value, count]) => uses.get(value) === count).map(([value]) => value));
}

const isPlainProduct = ({ op, inputs, attributes }: Node, types: readonly TensorType[]): boolean =>
  op === 'matmul' &&
  inputs.every((input) => argument(types, input).shape.length === 2) &&
  !flag(attributes, 'transA') &&
  number(attributes, 'alpha') === 1;

/**
 * Multiplies by the inputs in tiles of this size as they are. Such a product is a `gemm` of four axes: `[1, k, 1, n]` and
 * `[m, k, 1, 1]` give `[1, m, 1, n]`, each with the values of `size` places of its second axis (the filter's first, too)
 * next to each other; a third input of the result's shape is added. Sums of products stay in tiles. A `transpose` with
 * `tiles` is one into such a layout or out of it.
 */
export function multiplyTiles(graph: Graph, size: number): Graph {
  const matrices = matricesInTiles(graph, size);
  if (matrices.size === 0) return graph;
  const pass = new TiledProducts(graph, matrices, size);
  for (const node of graph.nodes) pass.take(node);
  return pass.result();
}

/** Of the values that are inputs turned back from tiles: the inputs. */
function matricesInTiles(graph: Graph, size: number): ReadonlyMap<ValueId, ValueId> {
  const inputs = new Set(graph.inputs.map(({ value }) => value));
  const factors = secondFactors(graph);
  const uses = countUses(graph);
  const turned = new Map<ValueId, ValueId>();
  const found = new Map<ValueId, ValueId>();
  for (const {
    op,
    inputs: [from],
    outputs: [to],
    attributes,
  } of graph.nodes) {
    if (from === undefined || to === undefined || uses.get(from) !== 1) continue;
    const isTurned = op === 'transpose' && list(attributes, 'perm').join() === TURNED.join();
    if (isTurned && inputs.has(from) && graph.types[from]?.shape[2] === size) turned.set(to, from);
    const source = op === 'reshape' ? turned.get(from) : undefined;
    if (source !== undefined && factors.has(to)) found.set(to, source);
  }
  return found;
}

/** A product, or a sum of some, that is computed once something reads it other than to add it to one of its kind. */
interface Pending {
  readonly factors: readonly { readonly x: ValueId; readonly matrix: ValueId }[];
  /** Whether matrices are transposed: they are then the filters, and otherwise what is filtered. */
  readonly transposed: boolean;
}

class TiledProducts {
  private readonly types: TensorType[];
  private readonly nodes: Node[] = [];
  private readonly pending = new Map<ValueId, Pending>();
  private readonly uses: ReadonlyMap<ValueId, number>;
  /** First factors in tiles, by how they are and what they were. */
  private readonly tiled = new Map<string, ValueId>();
  private readonly sources: ReadonlySet<ValueId>;

  constructor(
    private readonly graph: Graph,
    private readonly matrices: ReadonlyMap<ValueId, ValueId>,
    private readonly size: number,
  ) {
    this.types = [...graph.types];
    this.uses = countUses(graph);
    this.sources = new Set(matrices.values());
  }

  take(node: Node): void {
    const [output] = node.outputs;
    const made = this.product(node) ?? (node.op === 'add' ? this.sum(node) : undefined);
    if (made !== undefined && output !== undefined) {
      this.pending.set(output, made);
      return;
    }
    // what turned a matrix back is left out with it
    if (this.turnsBack(node)) return;
    for (const input of node.inputs) this.compute(input);
    this.nodes.push(node);
  }

  result(): Graph {
    for (const { value } of this.graph.outputs) this.compute(value);
    return { ...this.graph, types: this.types, nodes: this.nodes };
  }

  private product({ op, inputs: [x, matrix], attributes }: Node): Pending | undefined {
    const tiles = matrix === undefined ? undefined : this.matrices.get(matrix);
    if (op !== 'matmul' || x === undefined || tiles === undefined) return undefined;
    return { factors: [{ x, matrix: tiles }], transposed: flag(attributes, 'transB') };
  }

  private sum({ inputs }: Node): Pending | undefined {
    const parts = inputs.map((input) => (this.uses.get(input) === 1 ? this.pending.get(input) : undefined));
    const [left, right] = parts;
    if (left === undefined || right === undefined || left.transposed !== right.transposed) return undefined;
    for (const input of inputs) this.pending.delete(input);
    return { ...left, factors: [...left.factors, ...right.factors] };
  }

  private turnsBack({ op, inputs: [from], outputs: [to] }: Node): boolean {
    if (from === undefined || to === undefined) return false;
    return op === 'reshape' ? this.matrices.has(to) : op === 'transpose' && this.sources.has(from);
  }

  private compute(value: ValueId): void {
    const found = this.pending.get(value);
    if (found === undefined) return;
    this.pending.delete(value);
    if (found.transposed) this.filtered(found, value);
    else this.filtering(found, value);
  }

  /** x·Wᵀ, where the matrices are the filters. */
  private filtered({ factors }: Pending, output: ValueId): void {
    let sum: ValueId | undefined;
    for (const { x, matrix } of factors) {
      const [groups = 0, inner = 0] = this.shape(matrix);
      const columns = groups * this.size;
      const filters = this.view(matrix, [columns, inner, 1, 1]);
      sum = this.convolution(this.acrossTiles(x), filters, sum, [1, columns, 1, this.rows(x)]);
    }
    const [rows = 0, columns = 0] = this.shape(output);
    const turned = this.emit('transpose', [sum ?? output], [1, 1, rows, columns], OUT_OF_TILES);
    this.emitAs(output, 'reshape', [turned], { shape: [rows, columns] });
  }

  /** x·W, where the rows of x are the filters. */
  private filtering({ factors }: Pending, output: ValueId): void {
    const [rows = 0, columns = 0] = this.shape(output);
    const padded = Math.ceil(rows / this.size) * this.size;
    let sum: ValueId | undefined;
    for (const { x, matrix } of factors) {
      const inner = this.columns(x);
      const filters = this.view(this.alongTiles(x), [padded, inner, 1, 1]);
      sum = this.convolution(this.view(matrix, [1, inner, 1, columns]), filters, sum, [
        1,
        padded,
        1,
        columns,
      ]);
    }
    const groups = padded / this.size;
    const tiles = this.view(sum ?? output, [groups, columns, this.size]);
    const turned = this.emit('transpose', [tiles], [groups, this.size, columns], { perm: TURNED });
    if (padded === rows) this.emitAs(output, 'reshape', [turned], { shape: [rows, columns] });
    else
      this.emitAs(output, 'slice', [this.view(turned, [padded, columns])], { axis: 0, start: 0, end: rows });
  }

  private convolution(
    x: ValueId,
    filters: ValueId,
    sum: ValueId | undefined,
    shape: readonly number[],
  ): ValueId {
    const inputs = sum === undefined ? [x, filters] : [x, filters, sum];
    return this.emit('gemm', inputs, shape, { transA: false, transB: false, alpha: 1 });
  }

  /** x `[n, k]` with `size` columns next to each other, as `[1, k, 1, n]`. */
  private acrossTiles(x: ValueId): ValueId {
    return this.once(`across ${x}`, () => {
      const [rows, columns] = [this.rows(x), this.columns(x)];
      return this.emit('transpose', [this.view(x, [1, 1, rows, columns])], [1, columns, 1, rows], INTO_TILES);
    });
  }

  /** x `[m, k]` with `size` rows next to each other, `[m / size, k, size]`; the last rows may be zeros that are added. */
  private alongTiles(x: ValueId): ValueId {
    return this.once(`along ${x}`, () => {
      const [rows, columns] = [this.rows(x), this.columns(x)];
      const groups = Math.ceil(rows / this.size);
      const after = groups * this.size - rows;
      const shape = [groups * this.size, columns];
      const whole = after === 0 ? x : this.emit('pad', [x], shape, { axis: 0, before: 0, after });
      const cut = this.view(whole, [groups, this.size, columns]);
      return this.emit('transpose', [cut], [groups, columns, this.size], { perm: TURNED });
    });
  }

  private once(name: string, make: () => ValueId): ValueId {
    const value = this.tiled.get(name) ?? make();
    this.tiled.set(name, value);
    return value;
  }

  private view = (value: ValueId, shape: readonly number[]): ValueId =>
    this.emit('reshape', [value], shape, { shape });

  private emit(
    op: Node['op'],
    inputs: readonly ValueId[],
    shape: readonly number[],
    attributes: Attributes,
  ): ValueId {
    const value = this.types.push(f32(shape)) - 1;
    this.emitAs(value, op, inputs, attributes);
    return value;
  }

  private emitAs(output: ValueId, op: Node['op'], inputs: readonly ValueId[], attributes: Attributes): void {
    for (const input of inputs) this.compute(input);
    this.nodes.push({ op, inputs, outputs: [output], attributes });
  }

  private shape = (value: ValueId): readonly number[] => argument(this.types, value).shape;
  private rows = (value: ValueId): number => this.shape(value)[0] ?? 0;
  private columns = (value: ValueId): number => this.shape(value)[1] ?? 0;
}
