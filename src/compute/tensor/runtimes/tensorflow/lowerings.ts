/** How each op is said in TensorFlow. */
import { flag, list, number, text } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import type { OpName } from '../../ops/names.js';
import { around, type Shape, sizeOf } from '../../shape.js';
import type { Attributes, DType, TensorType } from '../../types.js';
import type { TensorFlowAttribute, TensorFlowType } from './messages.js';
import {
  binary,
  cast,
  concatenated,
  FLOAT,
  gathered,
  INDEX,
  type NodeAttributes,
  type NodeContext,
  reshaped,
  sliced,
} from './nodes.js';

export interface LoweringContext extends NodeContext {
  readonly inputs: readonly string[];
  readonly inputTypes: readonly TensorType[];
  readonly outputTypes: readonly TensorType[];
  readonly attributes: Attributes;
}

/** References to the outputs; `undefined` for one that TensorFlow does not give and nothing reads. */
type Lowering = (context: LoweringContext) => readonly string[];

const first = (c: LoweringContext): string => argument(c.inputs, 0);
const shapeOf = (c: LoweringContext, index = 0): Shape => argument(c.inputTypes, index).shape;
const dtypeOf = (c: LoweringContext): DType => argument(c.inputTypes, 0).dtype;
const typeOf = (c: LoweringContext): TensorFlowAttribute => ({ type: dtypeOf(c) });

const simple =
  (op: string, output: string, more: NodeAttributes = {}): Lowering =>
  (c) => [c.node(op, output, c.inputs, { T: typeOf(c), ...more })];

const unary = (op: string): Lowering => simple(op, 'y');
const ofTwo = (op: string): Lowering => simple(op, 'z');

const folded = (c: LoweringContext, op: string, value: string, axes: readonly number[], keep: boolean) =>
  c.node(op, 'output', [value, c.ints(axes)], { T: FLOAT, Tidx: INDEX, keep_dims: { flag: keep } });

/** Over the last axis, which it keeps. */
const meanOf = (c: LoweringContext, value: string): string =>
  folded(c, 'Mean', value, [shapeOf(c).length - 1], true);

const reduction =
  (op: string): Lowering =>
  (c) => [folded(c, op, first(c), list(c.attributes, 'axes'), flag(c.attributes, 'keepdims'))];

/** The product of two matrices, or of stacks of them, that may be transposed. */
export function multiplied(
  c: Pick<LoweringContext, 'inputs' | 'inputTypes' | 'attributes' | 'node'>,
  type: TensorFlowType = 'f32',
  transA = flag(c.attributes, 'transA'),
): string {
  const [op, output, first, second] =
    argument(c.inputTypes, 0).shape.length === 2
      ? (['MatMul', 'product', 'transpose_a', 'transpose_b'] as const)
      : (['BatchMatMulV2', 'output', 'adj_x', 'adj_y'] as const);
  const transposes = { [first]: { flag: transA }, [second]: { flag: flag(c.attributes, 'transB') } };
  return c.node(op, output, c.inputs.slice(0, 2), { T: { type }, ...transposes });
}

/** A product times its `alpha`. */
export function scaledBy(
  c: Pick<LoweringContext, 'attributes' | 'node' | 'scalar'>,
  product: string,
): string {
  const alpha = number(c.attributes, 'alpha');
  return alpha === 1 ? product : binary(c, 'Mul', product, c.scalar(alpha));
}

const product = (c: LoweringContext): string => scaledBy(c, multiplied(c));

/**
 * 1/√(mean of squares + ε) over the last axis. Not `Rsqrt`, which TensorFlow computes less exactly than deep gradients
 * bear, nor a quotient, which its optimiser makes an `Rsqrt`.
 */
function inverseScale(c: LoweringContext, value: string): string {
  const squares = c.node('Square', 'y', [value], { T: FLOAT });
  const mean = meanOf(c, squares);
  const sum = binary(c, 'AddV2', mean, c.scalar(number(c.attributes, 'epsilon')));
  return c.node('Reciprocal', 'y', [c.node('Sqrt', 'y', [sum], { T: FLOAT })], { T: FLOAT });
}

const transposed = (c: LoweringContext, value: string, order: readonly number[], dtype: DType): string =>
  c.node('Transpose', 'y', [value, c.ints(order)], { T: { type: dtype }, Tperm: INDEX });

/** Exchanges an axis and the last one; its own inverse. */
const swapped = (rank: number, axis: number): readonly number[] =>
  Array.from({ length: rank }, (_, at) => (at === axis ? rank - 1 : at === rank - 1 ? axis : at));

export const LOWERINGS: Readonly<Record<OpName, Lowering>> = {
  add: ofTwo('AddV2'),
  sub: ofTwo('Sub'),
  mul: ofTwo('Mul'),
  div: ofTwo('RealDiv'),
  neg: unary('Neg'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  reciprocal: unary('Reciprocal'),
  sigmoid: unary('Sigmoid'),
  tanh: unary('Tanh'),
  erf: unary('Erf'),
  silu: (c) => {
    const x = first(c);
    return [binary(c, 'Mul', x, c.node('Sigmoid', 'y', [x], { T: FLOAT }))];
  },
  relu: simple('Relu', 'activations'),
  equal: ofTwo('Equal'),
  where: (c) => [c.node('SelectV2', 'output', c.inputs, { T: FLOAT })],
  cast: (c) => [cast(c, first(c), dtypeOf(c), text(c.attributes, 'to') as DType)],
  toBf16: (c) => [cast(c, cast(c, first(c), 'f32', 'bf16'), 'bf16', 'f32')],
  matmul: (c) => [product(c)],
  gemm: (c) => [binary(c, 'AddV2', product(c), argument(c.inputs, 2))],
  adapted: (c) => [multiplied(c, 'f32', false)],
  sum: reduction('Sum'),
  mean: reduction('Mean'),
  max: reduction('Max'),
  softmax: simple('Softmax', 'softmax'),
  logSoftmax: simple('LogSoftmax', 'logsoftmax'),
  rmsNorm: (c) => {
    const [x, weight] = [argument(c.inputs, 0), argument(c.inputs, 1)];
    const scale = inverseScale(c, x);
    return [binary(c, 'Mul', binary(c, 'Mul', x, scale), weight), scale];
  },
  layerNorm: (c) => {
    const [x, weight, bias] = [argument(c.inputs, 0), argument(c.inputs, 1), argument(c.inputs, 2)];
    const mean = meanOf(c, x);
    const centred = binary(c, 'Sub', x, mean);
    const scale = inverseScale(c, centred);
    const y = binary(c, 'AddV2', binary(c, 'Mul', binary(c, 'Mul', centred, scale), weight), bias);
    return [y, mean, scale];
  },
  rotary: (c) => {
    const [x, cos, sin] = [argument(c.inputs, 0), argument(c.inputs, 1), argument(c.inputs, 2)];
    const [batch = 0, seq = 0, width = 0] = shapeOf(c);
    const heads = number(c.attributes, 'heads');
    const half = width / heads / 2;
    const pairs = reshaped(c, x, [batch, seq, heads, 2, half]);
    const part = (which: number) => sliced(c, pairs, [0, 0, 0, which, 0], [batch, seq, heads, 1, half]);
    const angle = (value: string) => reshaped(c, value, [batch, seq, 1, 1, half]);
    const [left, right, along, across] = [part(0), part(1), angle(cos), angle(sin)];
    const turned = [
      binary(c, 'Sub', binary(c, 'Mul', left, along), binary(c, 'Mul', right, across)),
      binary(c, 'AddV2', binary(c, 'Mul', right, along), binary(c, 'Mul', left, across)),
    ];
    return [reshaped(c, concatenated(c, turned, 3), [batch, seq, width])];
  },
  detach: simple('Identity', 'output'),
  // nodes run in their order
  fence: () => [],
  reshape: (c) => [reshaped(c, first(c), list(c.attributes, 'shape'), dtypeOf(c))],
  expand: (c) => {
    const shape = c.ints(list(c.attributes, 'shape'));
    return [c.node('BroadcastTo', 'output', [first(c), shape], { T: FLOAT, Tidx: INDEX })];
  },
  transpose: (c) => [transposed(c, first(c), list(c.attributes, 'perm'), dtypeOf(c))],
  slice: (c) => {
    const [axis, start] = [number(c.attributes, 'axis'), number(c.attributes, 'start')];
    const from = shapeOf(c).map((_, at) => (at === axis ? start : 0));
    return [sliced(c, first(c), from, argument(c.outputTypes, 0).shape, dtypeOf(c))];
  },
  pad: (c) => {
    const axis = number(c.attributes, 'axis');
    const both = [number(c.attributes, 'before'), number(c.attributes, 'after')];
    const paddings = shapeOf(c).flatMap((_, at) => (at === axis ? both : [0, 0]));
    const table = c.ints(paddings, [shapeOf(c).length, 2]);
    return [c.node('Pad', 'output', [first(c), table], { T: FLOAT, Tpaddings: INDEX })];
  },
  concat: (c) => [concatenated(c, c.inputs, number(c.attributes, 'axis'), dtypeOf(c))],
  gather: (c) => [gathered(c, first(c), argument(c.inputs, 1), dtypeOf(c))],
  scatterRows: (c) => {
    const inputs = [argument(c.inputs, 1), first(c), c.int(number(c.attributes, 'rows'))];
    const types = { T: FLOAT, Tindices: INDEX, Tnumsegments: INDEX };
    return [c.node('UnsortedSegmentSum', 'output', inputs, types)];
  },
  /** All axes but the last are looked up side by side; another axis is exchanged with the last one first. */
  gatherElements: (c) => {
    const axis = number(c.attributes, 'axis');
    const { shape, dtype } = argument(c.inputTypes, 0);
    const last = shape.length - 1;
    const [data, indices] = [argument(c.inputs, 0), argument(c.inputs, 1)];
    const along = (rows: string, columns: string) => gathered(c, rows, columns, dtype, [last, last]);
    if (axis === last) return [along(data, indices)];
    const order = swapped(shape.length, axis);
    const found = along(transposed(c, data, order, dtype), transposed(c, indices, order, 'i32'));
    return [transposed(c, found, order, dtype)];
  },
  /** Each update is added at its own place in the data, but along the axis, where its index says which. */
  scatterElements: (c) => {
    const axis = number(c.attributes, 'axis');
    const [data, indices, updates] = [argument(c.inputs, 0), argument(c.inputs, 1), argument(c.inputs, 2)];
    const shape = shapeOf(c, 1);
    const count = sizeOf(shape);
    const own = (at: number): readonly number[] => {
      const { size, inner } = around(shape, at);
      return Array.from({ length: count }, (_, update) => Math.floor(update / inner) % size);
    };
    const places = shape.map((_, at) =>
      at === axis ? reshaped(c, indices, [count, 1], 'i32') : c.ints(own(at), [count, 1]),
    );
    const table = places.length === 1 ? argument(places, 0) : concatenated(c, places, 1, 'i32');
    const inputs = [data, table, reshaped(c, updates, [count])];
    return [c.node('TensorScatterAdd', 'output', inputs, { T: FLOAT, Tindices: INDEX })];
  },
};
