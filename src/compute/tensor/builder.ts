/** Builds graphs node by node; every type is inferred by the op's own rule. */
import { argument } from './ops/definition.js';
import { OPS } from './ops/index.js';
import type { OpName } from './ops/names.js';
import { axisOf, GraphError, type Shape, sameShape, sizeOf } from './shape.js';
import type { Attributes, Constant, DType, Graph, NamedValue, Node, TensorType, ValueId } from './types.js';

export interface ProductOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

/** The nodes `first` up to `end` of a builder, differentiated by one rule in place of a rule for each. */
interface Composite {
  readonly first: number;
  readonly end: number;
  readonly inputs: readonly ValueId[];
  readonly output: ValueId;
  /** Gradients of the inputs that need one, by way of the output's. */
  readonly gradient: (dy: ValueId, needs: readonly boolean[]) => readonly (ValueId | undefined)[];
}

export class GraphBuilder {
  private readonly types: TensorType[] = [];
  private readonly inputs: NamedValue[] = [];
  private readonly constants: Constant[] = [];
  private readonly emitted: Node[] = [];
  private readonly outputs: NamedValue[] = [];
  private readonly together: Composite[] = [];
  private readonly scalars = new Map<number, ValueId>();

  constructor(readonly name: string) {}

  get nodes(): readonly Node[] {
    return this.emitted;
  }

  get composites(): readonly Composite[] {
    return this.together;
  }

  typeOf(value: ValueId): TensorType {
    return argument(this.types, value);
  }

  shapeOf(value: ValueId): Shape {
    return this.typeOf(value).shape;
  }

  input(name: string, shape: Shape, dtype: DType = 'f32'): ValueId {
    if (this.inputs.some((input) => input.name === name)) throw new GraphError(`two inputs named ${name}`);
    const value = this.define({ dtype, shape });
    this.inputs.push({ name, value });
    return value;
  }

  output(name: string, value: ValueId): void {
    if (this.outputs.some((output) => output.name === name))
      throw new GraphError(`two outputs named ${name}`);
    this.outputs.push({ name, value });
  }

  constant(data: Float32Array | Int32Array, shape: Shape): ValueId {
    if (data.length !== sizeOf(shape)) throw new GraphError(`${data.length} values for [${shape.join()}]`);
    const value = this.define({ dtype: data instanceof Int32Array ? 'i32' : 'f32', shape });
    this.constants.push({ value, data });
    return value;
  }

  scalar(number: number): ValueId {
    const known = this.scalars.get(number);
    if (known !== undefined) return known;
    const value = this.constant(Float32Array.of(number), []);
    this.scalars.set(number, value);
    return value;
  }

  /** A tensor of one repeated number. */
  fill(number: number, shape: Shape): ValueId {
    return this.expand(this.scalar(number), shape);
  }

  emit(op: OpName, inputs: readonly ValueId[], attributes: Attributes = {}): readonly ValueId[] {
    const types = OPS[op].infer(
      inputs.map((input) => this.typeOf(input)),
      attributes,
    );
    const outputs = types.map((type) => this.define(type));
    this.emitted.push({ op, inputs, outputs, attributes });
    return outputs;
  }

  /** What `emit` computes of the inputs, in at least one node, with a gradient of its own. */
  composite(inputs: readonly ValueId[], emit: () => ValueId, gradient: Composite['gradient']): ValueId {
    const first = this.emitted.length;
    const output = emit();
    this.together.push({ first, end: this.emitted.length, inputs, output, gradient });
    return output;
  }

  /** The graph so far. Values and nodes that no output needs are left in: see `restrict`. */
  build(): Graph {
    return {
      name: this.name,
      types: [...this.types],
      inputs: [...this.inputs],
      constants: [...this.constants],
      nodes: [...this.emitted],
      outputs: [...this.outputs],
    };
  }

  add = (a: ValueId, b: ValueId): ValueId => this.one('add', [a, b]);
  sub = (a: ValueId, b: ValueId): ValueId => this.one('sub', [a, b]);
  mul = (a: ValueId, b: ValueId): ValueId => this.one('mul', [a, b]);
  div = (a: ValueId, b: ValueId): ValueId => this.one('div', [a, b]);
  neg = (x: ValueId): ValueId => this.one('neg', [x]);
  exp = (x: ValueId): ValueId => this.one('exp', [x]);
  log = (x: ValueId): ValueId => this.one('log', [x]);
  sqrt = (x: ValueId): ValueId => this.one('sqrt', [x]);
  reciprocal = (x: ValueId): ValueId => this.one('reciprocal', [x]);
  sigmoid = (x: ValueId): ValueId => this.one('sigmoid', [x]);
  tanh = (x: ValueId): ValueId => this.one('tanh', [x]);
  erf = (x: ValueId): ValueId => this.one('erf', [x]);
  toBf16 = (x: ValueId): ValueId => this.one('toBf16', [x]);
  silu = (x: ValueId): ValueId => this.one('silu', [x]);
  relu = (x: ValueId): ValueId => this.one('relu', [x]);
  equal = (a: ValueId, b: ValueId): ValueId => this.one('equal', [a, b]);
  where = (condition: ValueId, a: ValueId, b: ValueId): ValueId => this.one('where', [condition, a, b]);
  softmax = (x: ValueId): ValueId => this.one('softmax', [x]);
  logSoftmax = (x: ValueId): ValueId => this.one('logSoftmax', [x]);

  cast(x: ValueId, to: DType): ValueId {
    return this.typeOf(x).dtype === to ? x : this.one('cast', [x], { to });
  }

  matmul(a: ValueId, b: ValueId, options: ProductOptions = {}): ValueId {
    const { transA = false, transB = false, alpha = 1 } = options;
    return this.one('matmul', [a, b], { transA, transB, alpha });
  }

  gemm(a: ValueId, b: ValueId, c: ValueId, options: ProductOptions = {}): ValueId {
    const { transA = false, transB = false, alpha = 1 } = options;
    return this.one('gemm', [a, b, c], { transA, transB, alpha });
  }

  adapted(
    { x, merged, plain, down, up }: Readonly<Record<'x' | 'merged' | 'plain' | 'down' | 'up', ValueId>>,
    options: { readonly transB: boolean; readonly scale: number; readonly mergedBack: boolean },
  ): ValueId {
    return this.one('adapted', [x, merged, plain, down, up], options);
  }

  sum = this.reduction('sum');
  mean = this.reduction('mean');
  max = this.reduction('max');

  detach = (x: ValueId): ValueId => this.one('detach', [x]);

  fence(x: ValueId): void {
    this.emit('fence', [x]);
  }

  reshape(x: ValueId, shape: Shape): ValueId {
    return sameShape(this.shapeOf(x), shape) ? x : this.one('reshape', [x], { shape });
  }

  expand(x: ValueId, shape: Shape): ValueId {
    return sameShape(this.shapeOf(x), shape) ? x : this.one('expand', [x], { shape });
  }

  transpose(x: ValueId, perm: readonly number[]): ValueId {
    return this.one('transpose', [x], { perm });
  }

  slice(x: ValueId, axis: number, start: number, end: number): ValueId {
    return this.one('slice', [x], { axis: axisOf(axis, this.shapeOf(x).length), start, end });
  }

  pad(x: ValueId, axis: number, before: number, after: number): ValueId {
    return this.one('pad', [x], { axis: axisOf(axis, this.shapeOf(x).length), before, after });
  }

  concat(parts: readonly ValueId[], axis: number): ValueId {
    return this.one('concat', parts, { axis: axisOf(axis, this.shapeOf(argument(parts, 0)).length) });
  }

  /** Equal pieces along an axis. */
  split(x: ValueId, pieces: number, axis: number): readonly ValueId[] {
    const size = argument(this.shapeOf(x), axisOf(axis, this.shapeOf(x).length)) / pieces;
    return Array.from({ length: pieces }, (_, piece) =>
      this.slice(x, axis, piece * size, (piece + 1) * size),
    );
  }

  gather = (data: ValueId, indices: ValueId): ValueId => this.one('gather', [data, indices]);

  scatterRows(indices: ValueId, updates: ValueId, rows: number): ValueId {
    return this.one('scatterRows', [indices, updates], { rows });
  }

  gatherElements(data: ValueId, indices: ValueId, axis: number): ValueId {
    return this.one('gatherElements', [data, indices], { axis });
  }

  scatterElements(data: ValueId, indices: ValueId, updates: ValueId, axis: number): ValueId {
    return this.one('scatterElements', [data, indices, updates], { axis });
  }

  rmsNorm(x: ValueId, weight: ValueId, epsilon: number): ValueId {
    return this.one('rmsNorm', [x, weight], { epsilon });
  }

  layerNorm(x: ValueId, weight: ValueId, bias: ValueId, epsilon: number): ValueId {
    return this.one('layerNorm', [x, weight, bias], { epsilon });
  }

  rotary(x: ValueId, cos: ValueId, sin: ValueId, heads: number): ValueId {
    return this.one('rotary', [x, cos, sin], { heads });
  }

  private reduction(op: 'sum' | 'mean' | 'max') {
    return (x: ValueId, axes: readonly number[], keepdims = false): ValueId => {
      const { length } = this.shapeOf(x);
      return this.one(op, [x], { axes: axes.map((axis) => axisOf(axis, length)), keepdims });
    };
  }

  private one(op: OpName, inputs: readonly ValueId[], attributes: Attributes = {}): ValueId {
    return argument(this.emit(op, inputs, attributes), 0);
  }

  private define(type: TensorType): ValueId {
    if (!type.shape.every((size) => Number.isInteger(size) && size > 0))
      throw new GraphError(`shape [${type.shape.join()}]`);
    this.types.push(type);
    return this.types.length - 1;
  }
}
