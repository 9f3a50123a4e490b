/** How each op is said in TensorFlow. */
import { flag, list, number, text } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import type { OpName } from '../../ops/names.js';
import { around, type Shape, sizeOf } from '../../shape.js';
import type { Attributes, DType, TensorType } from '../../types.js';
import type { TensorFlowAttribute, TensorFlowType } from './messages.js';

type NodeAttributes = Readonly<Record<string, TensorFlowAttribute>>;

export interface LoweringContext {
  readonly inputs: readonly string[];
  readonly inputTypes: readonly TensorType[];
  readonly outputTypes: readonly TensorType[];
  readonly attributes: Attributes;
  /** Adds a node and gives the reference to its output; `output` is the name that TensorFlow's registry has for it. */
  readonly node: (
    op: string,
    output: string,
    inputs: readonly string[],
    attributes?: NodeAttributes,
  ) => string;
  /** A constant list of int32, or a table of them where a shape is given. */
  readonly ints: (values: readonly number[], shape?: Shape) => string;
  /** A constant int32. */
  readonly int: (value: number) => string;
  /** A constant f32. */
  readonly scalar: (value: number) => string;
}

/** References to the outputs; `undefined` for one that TensorFlow does not give and nothing reads. */
type Lowering = (context: LoweringContext) => readonly string[];

const FLOAT: TensorFlowAttribute = { type: 'f32' };
const INDEX: TensorFlowAttribute = { type: 'i32' };

const typeOf = ({ inputTypes }: LoweringContext): TensorFlowAttribute => ({
  type: argument(inputTypes, 0).dtype,
});

const simple =
  (op: string, output: string, more: NodeAttributes = {}): Lowering =>
  (c) => [c.node(op, output, c.inputs, { T: typeOf(c), ...more })];

const unary = (op: string): Lowering => simple(op, 'y');
const binary = (op: string): Lowering => simple(op, 'z');

const apply = (c: Pick<LoweringContext, 'node'>, op: 'AddV2' | 'Sub' | 'Mul', x: string, y: string): string =>
  c.node(op, 'z', [x, y], { T: FLOAT });

export const converted = (
  from: TensorFlowType,
  to: TensorFlowType,
): Readonly<Record<string, TensorFlowAttribute>> => ({
  SrcT: { type: from },
  DstT: { type: to },
  Truncate: { flag: false },
});

const reshaped = (c: LoweringContext, value: string, shape: Shape, dtype: DType = 'f32'): string =>
  c.node('Reshape', 'output', [value, c.ints(shape)], { T: { type: dtype }, Tshape: INDEX });

const folded = (c: LoweringContext, op: string, value: string, axes: readonly number[], keep: boolean) =>
  c.node(op, 'output', [value, c.ints(axes)], { T: FLOAT, Tidx: INDEX, keep_dims: { flag: keep } });

const reduction =
  (op: string): Lowering =>
  (c) => [folded(c, op, argument(c.inputs, 0), list(c.attributes, 'axes'), flag(c.attributes, 'keepdims'))];

/** The product of two matrices, or of stacks of them, that may be transposed. */
export function multiplied(
  c: Pick<LoweringContext, 'inputs' | 'inputTypes' | 'attributes' | 'node'>,
  type: TensorFlowType = 'f32',
  transA = flag(c.attributes, 'transA'),
): string {
  const operands = [argument(c.inputs, 0), argument(c.inputs, 1)];
  const transB = flag(c.attributes, 'transB');
  return argument(c.inputTypes, 0).shape.length === 2
    ? c.node('MatMul', 'product', operands, {
        T: { type },
        transpose_a: { flag: transA },
        transpose_b: { flag: transB },
      })
    : c.node('BatchMatMulV2', 'output', operands, {
        T: { type },
        adj_x: { flag: transA },
        adj_y: { flag: transB },
      });
}

type ScaleContext = Pick<LoweringContext, 'attributes' | 'node' | 'scalar'>;

/** A product times its `alpha`. */
export function scaledBy(c: ScaleContext, product: string): string {
  const alpha = number(c.attributes, 'alpha');
  return alpha === 1 ? product : apply(c, 'Mul', product, c.scalar(alpha));
}

const product = (c: LoweringContext): string => scaledBy(c, multiplied(c));

/**
 * 1/√(mean of squares + ε) over the last axis. Not `Rsqrt`, which TensorFlow computes less exactly than deep gradients
 * bear, nor a quotient, which its optimiser makes an `Rsqrt`.
 */
function inverseScale(c: LoweringContext, value: string): string {
  const last = argument(c.inputTypes, 0).shape.length - 1;
  const squares = c.node('Square', 'y', [value], { T: FLOAT });
  const mean = folded(c, 'Mean', squares, [last], true);
  const sum = apply(c, 'AddV2', mean, c.scalar(number(c.attributes, 'epsilon')));
  return c.node('Reciprocal', 'y', [c.node('Sqrt', 'y', [sum], { T: FLOAT })], { T: FLOAT });
}

const transposed = (c: LoweringContext, value: string, order: readonly number[], dtype: DType): string =>
  c.node('Transpose', 'y', [value, c.ints(order)], { T: { type: dtype }, Tperm: INDEX });

/** Exchanges an axis and the last one; its own inverse. */
const swapped = (rank: number, axis: number): readonly number[] =>
  Array.from({ length: rank }, (_, at) => (at === axis ? rank - 1 : at === rank - 1 ? axis : at));

const gatherAlong = (c: LoweringContext, data: string, indices: string, axis: number, batch: number) =>
  c.node('GatherV2', 'output', [data, indices, c.int(axis)], {
    Tparams: typeOf(c),
    Tindices: INDEX,
    Taxis: INDEX,
    batch_dims: { int: batch },
  });

/** Columns of indices side by side. */
const joined = (c: LoweringContext, columns: readonly string[]): string =>
  columns.length === 1
    ? argument(columns, 0)
    : c.node('ConcatV2', 'output', [...columns, c.int(1)], {
        N: { int: columns.length },
        T: INDEX,
        Tidx: INDEX,
      });

export const LOWERINGS: Readonly<Record<OpName, Lowering>> = {
  add: binary('AddV2'),
  sub: binary('Sub'),
  mul: binary('Mul'),
  div: binary('RealDiv'),
  neg: unary('Neg'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  reciprocal: unary('Reciprocal'),
  sigmoid: unary('Sigmoid'),
  tanh: unary('Tanh'),
  erf: unary('Erf'),
  silu: (c) => {
    const x = argument(c.inputs, 0);
    return [apply(c, 'Mul', x, c.node('Sigmoid', 'y', [x], { T: FLOAT }))];
  },
  relu: simple('Relu', 'activations'),
  equal: simple('Equal', 'z'),
  where: (c) => [c.node('SelectV2', 'output', c.inputs, { T: FLOAT })],
  cast: (c) => [
    c.node('Cast', 'y', c.inputs, {
      ...converted('f32', text(c.attributes, 'to') as DType),
      SrcT: typeOf(c),
    }),
  ],
  toBf16: (c) => [
    c.node('Cast', 'y', [c.node('Cast', 'y', c.inputs, converted('f32', 'bf16'))], converted('bf16', 'f32')),
  ],
  matmul: (c) => [product(c)],
  gemm: (c) => [apply(c, 'AddV2', product(c), argument(c.inputs, 2))],
  adapted: (c) => [multiplied(c, 'f32', false)],
  sum: reduction('Sum'),
  mean: reduction('Mean'),
  max: reduction('Max'),
  softmax: simple('Softmax', 'softmax'),
  logSoftmax: simple('LogSoftmax', 'logsoftmax'),
  rmsNorm: (c) => {
    const [x, weight] = [argument(c.inputs, 0), argument(c.inputs, 1)];
    const scale = inverseScale(c, x);
    return [apply(c, 'Mul', apply(c, 'Mul', x, scale), weight), scale];
  },
  layerNorm: (c) => {
    const [x, weight, bias] = [argument(c.inputs, 0), argument(c.inputs, 1), argument(c.inputs, 2)];
    const mean = folded(c, 'Mean', x, [argument(c.inputTypes, 0).shape.length - 1], true);
    const centred = apply(c, 'Sub', x, mean);
    const scale = inverseScale(c, centred);
    const y = apply(c, 'AddV2', apply(c, 'Mul', apply(c, 'Mul', centred, scale), weight), bias);
    return [y, mean, scale];
  },
  rotary: (c) => {
    const [x, cos, sin] = [argument(c.inputs, 0), argument(c.inputs, 1), argument(c.inputs, 2)];
    const [batch = 0, seq = 0, width = 0] = argument(c.inputTypes, 0).shape;
    const heads = number(c.attributes, 'heads');
    const half = width / heads / 2;
    const pairs = reshaped(c, x, [batch, seq, heads, 2, half]);
    const part = (which: number) =>
      c.node('Slice', 'output', [pairs, c.ints([0, 0, 0, which, 0]), c.ints([batch, seq, heads, 1, half])], {
        T: FLOAT,
        Index: INDEX,
      });
    const angle = (value: string) => reshaped(c, value, [batch, seq, 1, 1, half]);
    const [left, right, along, across] = [part(0), part(1), angle(cos), angle(sin)];
    const turned = [
      apply(c, 'Sub', apply(c, 'Mul', left, along), apply(c, 'Mul', right, across)),
      apply(c, 'AddV2', apply(c, 'Mul', right, along), apply(c, 'Mul', left, across)),
    ];
    const whole = c.node('ConcatV2', 'output', [...turned, c.int(3)], {
      N: { int: 2 },
      T: FLOAT,
      Tidx: INDEX,
    });
    return [reshaped(c, whole, [batch, seq, width])];
  },
  detach: simple('Identity', 'output'),
  reshape: (c) => [
    reshaped(c, argument(c.inputs, 0), list(c.attributes, 'shape'), argument(c.inputTypes, 0).dtype),
  ],
  expand: (c) => [
    c.node('BroadcastTo', 'output', [argument(c.inputs, 0), c.ints(list(c.attributes, 'shape'))], {
      T: FLOAT,
      Tidx: INDEX,
    }),
  ],
  transpose: (c) => [
    transposed(c, argument(c.inputs, 0), list(c.attributes, 'perm'), argument(c.inputTypes, 0).dtype),
  ],
  slice: (c) => {
    const axis = number(c.attributes, 'axis');
    const from = argument(c.inputTypes, 0).shape.map((_, at) =>
      at === axis ? number(c.attributes, 'start') : 0,
    );
    const size = argument(c.outputTypes, 0).shape;
    return [
      c.node('Slice', 'output', [argument(c.inputs, 0), c.ints(from), c.ints(size)], {
        T: typeOf(c),
        Index: INDEX,
      }),
    ];
  },
  pad: (c) => {
    const axis = number(c.attributes, 'axis');
    const { shape } = argument(c.inputTypes, 0);
    const around = shape.flatMap((_, at) =>
      at === axis ? [number(c.attributes, 'before'), number(c.attributes, 'after')] : [0, 0],
    );
    return [
      c.node('Pad', 'output', [argument(c.inputs, 0), c.ints(around, [shape.length, 2])], {
        T: FLOAT,
        Tpaddings: INDEX,
      }),
    ];
  },
  concat: (c) => [
    c.node('ConcatV2', 'output', [...c.inputs, c.int(number(c.attributes, 'axis'))], {
      N: { int: c.inputs.length },
      T: typeOf(c),
      Tidx: INDEX,
    }),
  ],
  gather: (c) => [gatherAlong(c, argument(c.inputs, 0), argument(c.inputs, 1), 0, 0)],
  scatterRows: (c) => {
    const [indices, updates] = [argument(c.inputs, 0), argument(c.inputs, 1)];
    return [
      c.node('UnsortedSegmentSum', 'output', [updates, indices, c.int(number(c.attributes, 'rows'))], {
        T: FLOAT,
        Tindices: INDEX,
        Tnumsegments: INDEX,
      }),
    ];
  },
  /** All axes but the last are looked up side by side; another axis is exchanged with the last one first. */
  gatherElements: (c) => {
    const axis = number(c.attributes, 'axis');
    const { shape, dtype } = argument(c.inputTypes, 0);
    const last = shape.length - 1;
    const [data, indices] = [argument(c.inputs, 0), argument(c.inputs, 1)];
    if (axis === last) return [gatherAlong(c, data, indices, last, last)];
    const order = swapped(shape.length, axis);
    const found = gatherAlong(
      c,
      transposed(c, data, order, dtype),
      transposed(c, indices, order, 'i32'),
      last,
      last,
    );
    return [transposed(c, found, order, dtype)];
  },
  /** Each update is added at its own place in the data, but along the axis, where its index says which. */
  scatterElements: (c) => {
    const axis = number(c.attributes, 'axis');
    const [data, indices, updates] = [argument(c.inputs, 0), argument(c.inputs, 1), argument(c.inputs, 2)];
    const { shape } = argument(c.inputTypes, 1);
    const count = sizeOf(shape);
    const own = (at: number): readonly number[] => {
      const { size, inner } = around(shape, at);
      return Array.from({ length: count }, (_, update) => Math.floor(update / inner) % size);
    };
    const places = shape.map((_, at) =>
      at === axis ? reshaped(c, indices, [count, 1], 'i32') : c.ints(own(at), [count, 1]),
    );
    const inputs = [data, joined(c, places), reshaped(c, updates, [count])];
    return [c.node('TensorScatterAdd', 'output', inputs, { T: FLOAT, Tindices: INDEX })];
  },
};
