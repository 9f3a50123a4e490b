/** How each op is said in kernels of TensorFlow.js, and in those of `kernels/` if it has none. */
import { flag, list, number, text } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import type { OpName } from '../../ops/names.js';
import { around, type Shape, sameShape, sizeOf } from '../../shape.js';
import type { DType } from '../../types.js';
import { GPU_LOWERINGS } from './gpu-lowerings.js';
import type { TfjsName } from './installed.js';
import { HOST_KERNEL, KERNEL } from './kernels/kernel-names.js';
import { type Tensor, typeNamed } from './library.js';
import { type Lowering, type LoweringContext, reshaped, shapeOf } from './lowering.js';

const first = (c: LoweringContext): Tensor => argument(c.inputs, 0);

const unary =
  (kernel: string): Lowering =>
  (c) => [c.kernel(kernel, { x: first(c) })];

const binary =
  (kernel: string): Lowering =>
  (c) => [apply(c, kernel, first(c), argument(c.inputs, 1))];

const apply = (c: LoweringContext, kernel: string, a: Tensor, b: Tensor): Tensor =>
  c.kernel(kernel, { a, b });

/** Repeats along axes of size 1 and new leading axes. */
function expanded(c: LoweringContext, x: Tensor, shape: Shape): Tensor {
  const lead = shape.length - x.shape.length;
  const whole = [...Array.from({ length: lead }, () => 1), ...x.shape];
  const reps = shape.map((size, axis) => (whole[axis] === size ? 1 : size));
  return c.kernel('Tile', { x: lead === 0 ? x : reshaped(c, x, whole) }, { reps });
}

const reduction =
  (kernel: string, axes: 'axis' | 'reductionIndices' = 'axis'): Lowering =>
  (c) => {
    const attributes = { [axes]: list(c.attributes, 'axes'), keepDims: flag(c.attributes, 'keepdims') };
    return [c.kernel(kernel, { x: first(c) }, attributes)];
  };

/** Products are of three axes in every backend; leading axes are folded. `given` takes the place of attributes. */
function product(
  c: LoweringContext,
  given: { readonly transA?: boolean; readonly alpha?: number } = {},
): Tensor {
  const alpha = given.alpha ?? number(c.attributes, 'alpha');
  const { shape } = argument(c.outputTypes, 0);
  const lead = shape.slice(0, -2);
  const [a, b] = [0, 1].map((index) => {
    const [own, value] = [shapeOf(c, index), argument(c.inputs, index)];
    // a factor that is shared by several of the other repeats along the last of the leading axes
    const whole = [...lead, ...own.slice(-2)];
    const repeated = sameShape(whole, own) ? value : expanded(c, value, whole);
    return reshaped(c, repeated, [sizeOf(lead), ...own.slice(-2)]);
  });
  const transposes = {
    transposeA: given.transA ?? flag(c.attributes, 'transA'),
    transposeB: flag(c.attributes, 'transB'),
  };
  const result = c.kernel('BatchMatMul', { a, b } as Readonly<Record<string, Tensor>>, transposes);
  const scaled = alpha === 1 ? result : apply(c, 'Multiply', result, c.scalar(alpha));
  return reshaped(c, scaled, shape);
}

const mean = (c: LoweringContext, x: Tensor): Tensor =>
  c.kernel('Mean', { x }, { axis: [x.shape.length - 1], keepDims: true });

/** 1/√(mean of squares + ε) over the last axis. */
function inverseScale(c: LoweringContext, x: Tensor): Tensor {
  const sum = apply(c, 'Add', mean(c, apply(c, 'Multiply', x, x)), c.scalar(number(c.attributes, 'epsilon')));
  return c.kernel('Reciprocal', { x: c.kernel('Sqrt', { x: sum }) });
}

const sliced = (c: LoweringContext, x: Tensor, begin: Shape, size: Shape): Tensor =>
  c.kernel('Slice', { x }, { begin, size });

const COMMON: Readonly<Record<OpName, Lowering>> = {
  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Multiply'),
  div: binary('RealDiv'),
  neg: unary('Neg'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  reciprocal: unary('Reciprocal'),
  sigmoid: unary('Sigmoid'),
  tanh: unary('Tanh'),
  erf: unary('Erf'),
  relu: unary('Relu'),
  silu: (c) => [apply(c, 'Multiply', first(c), c.kernel('Sigmoid', { x: first(c) }))],
  equal: (c) => {
    const { shape } = argument(c.outputTypes, 0);
    const [a, b] = [expanded(c, first(c), shape), expanded(c, argument(c.inputs, 1), shape)];
    return [apply(c, 'Equal', a, b)];
  },
  where: (c) => {
    const { shape } = argument(c.outputTypes, 0);
    const [condition, t, e] = [0, 1, 2].map((index) => expanded(c, argument(c.inputs, index), shape));
    return [c.kernel('Select', { condition, t, e } as Readonly<Record<string, Tensor>>)];
  },
  cast: (c) => {
    const to = text(c.attributes, 'to') as DType;
    // the one of TensorFlow.js gives integers another name, which its kernels for the GPU do not all bear
    if (to === 'f32') return [c.kernel(KERNEL.toFloat, { x: first(c) })];
    return [c.kernel('Cast', { x: first(c) }, { dtype: typeNamed(to) })];
  },
  toBf16: (c) => [c.kernel(KERNEL.toBf16, { x: first(c) })],
  matmul: (c) => [product(c)],
  gemm: (c) => [apply(c, 'Add', product(c), argument(c.inputs, 2))],
  adapted: (c) => [product(c, { transA: false, alpha: 1 })],
  sum: reduction('Sum'),
  mean: reduction('Mean'),
  max: reduction('Max', 'reductionIndices'),
  softmax: (c) => [c.kernel('Softmax', { logits: first(c) }, { dim: shapeOf(c).length - 1 })],
  logSoftmax: (c) => {
    const x = first(c);
    const axis = [x.shape.length - 1];
    const centred = apply(c, 'Sub', x, c.kernel('Max', { x }, { reductionIndices: axis, keepDims: true }));
    const total = c.kernel('Sum', { x: c.kernel('Exp', { x: centred }) }, { axis, keepDims: true });
    return [apply(c, 'Sub', centred, c.kernel('Log', { x: total }))];
  },
  rmsNorm: (c) => {
    const [x, weight] = [first(c), argument(c.inputs, 1)];
    const scale = inverseScale(c, x);
    return [apply(c, 'Multiply', apply(c, 'Multiply', x, scale), weight), scale];
  },
  layerNorm: (c) => {
    const [x, weight, bias] = [first(c), argument(c.inputs, 1), argument(c.inputs, 2)];
    const middle = mean(c, x);
    const centred = apply(c, 'Sub', x, middle);
    const scale = inverseScale(c, centred);
    const y = apply(c, 'Add', apply(c, 'Multiply', apply(c, 'Multiply', centred, scale), weight), bias);
    return [y, middle, scale];
  },
  /** Each head's two halves, turned by the angle that all heads of a position share. */
  rotary: (c) => {
    const [batch = 0, seq = 0, width = 0] = shapeOf(c);
    const heads = number(c.attributes, 'heads');
    const half = width / heads / 2;
    const x = reshaped(c, first(c), [batch * seq, heads, 2 * half]);
    const part = (start: number) => sliced(c, x, [0, 0, start], [batch * seq, heads, half]);
    const angle = (index: number) => reshaped(c, argument(c.inputs, index), [batch * seq, 1, half]);
    const [left, right, cos, sin] = [part(0), part(half), angle(1), angle(2)];
    const turned = [
      apply(c, 'Sub', apply(c, 'Multiply', left, cos), apply(c, 'Multiply', right, sin)),
      apply(c, 'Add', apply(c, 'Multiply', right, cos), apply(c, 'Multiply', left, sin)),
    ];
    return [reshaped(c, c.kernel('Concat', turned, { axis: 2 }), [batch, seq, width])];
  },
  detach: unary('Identity'),
  // kernels run in the order of the graph
  fence: () => [],
  reshape: (c) => [reshaped(c, first(c), list(c.attributes, 'shape'))],
  expand: (c) => [expanded(c, first(c), list(c.attributes, 'shape'))],
  transpose: (c) => [c.kernel('Transpose', { x: first(c) }, { perm: list(c.attributes, 'perm') })],
  slice: (c) => {
    const [axis, start] = [number(c.attributes, 'axis'), number(c.attributes, 'start')];
    const begin = shapeOf(c).map((_, at) => (at === axis ? start : 0));
    return [sliced(c, first(c), begin, argument(c.outputTypes, 0).shape)];
  },
  pad: (c) => {
    const axis = number(c.attributes, 'axis');
    const both = [number(c.attributes, 'before'), number(c.attributes, 'after')];
    const paddings = shapeOf(c).map((_, at) => (at === axis ? both : [0, 0]));
    return [c.kernel('PadV2', { x: first(c) }, { paddings, constantValue: 0 })];
  },
  concat: (c) => [c.kernel('Concat', c.inputs, { axis: number(c.attributes, 'axis') })],
  gather: (c) => [
    c.kernel('GatherV2', { x: first(c), indices: argument(c.inputs, 1) }, { axis: 0, batchDims: 0 }),
  ],
  scatterRows: (c) => {
    const inputs = { indices: first(c), updates: argument(c.inputs, 1) };
    const { size: count, inner } = around(shapeOf(c, 1), 0);
    return [c.kernel(KERNEL.scatterRows, inputs, { rows: number(c.attributes, 'rows'), count, inner })];
  },
  gatherElements: (c) => {
    const inputs = { x: first(c), indices: argument(c.inputs, 1) };
    return [c.kernel(KERNEL.gatherElements, inputs, alongAxis(c))];
  },
  scatterElements: (c) => {
    const inputs = { x: first(c), indices: argument(c.inputs, 1), updates: argument(c.inputs, 2) };
    return [c.kernel(KERNEL.scatterElements, inputs, alongAxis(c))];
  },
};

const OWN: Readonly<Record<TfjsName, Partial<Readonly<Record<OpName, Lowering>>>>> = {
  cpu: {},
  wasm: {
    sum: (c) => {
      const sums = c.kernel(HOST_KERNEL.sum, { x: first(c) }, { axes: list(c.attributes, 'axes') });
      return [reshaped(c, sums, argument(c.outputTypes, 0).shape)];
    },
  },
  webgpu: GPU_LOWERINGS,
};

/** How an op is said on a backend. */
export const loweringOf = (backend: TfjsName, op: OpName): Lowering => OWN[backend][op] ?? COMMON[op];

/** Sizes of the data and of the indices along the axis of a look-up, and of what lies after it. */
function alongAxis(c: LoweringContext): { rows: number; count: number; inner: number } {
  const axis = number(c.attributes, 'axis');
  const { size, inner } = around(shapeOf(c), axis);
  return { rows: size, count: around(shapeOf(c, 1), axis).size, inner };
}
