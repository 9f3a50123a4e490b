/** How each op is said in ONNX. */
import { flag, list, number, text } from '../../attributes.js';
import type { OpName } from '../../ops/names.js';
import type { Attributes, DType, TensorType } from '../../types.js';
import { BFLOAT16, ELEMENT, type OnnxAttribute, type OnnxNode, TILES } from './model.js';

interface LoweringContext {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly inputTypes: readonly TensorType[];
  readonly outputTypes: readonly TensorType[];
  readonly attributes: Attributes;
  /** Name of a constant list of int64. */
  readonly ints: (values: readonly number[]) => string;
  /** Name of a constant f32 scalar. */
  readonly scalar: (value: number) => string;
  /** A fresh name for a value between two nodes. */
  readonly temporary: () => string;
}

type Lowering = (context: LoweringContext) => readonly OnnxNode[];

const MICROSOFT = 'com.microsoft';

type NodeAttributes = Readonly<Record<string, OnnxAttribute>>;

interface NodeForm {
  readonly attributes?: NodeAttributes | ((attributes: Attributes) => NodeAttributes);
  /** Inputs after those of the op. */
  readonly operands?: (context: LoweringContext) => readonly string[];
  readonly domain?: string;
}

const node =
  (type: string, { attributes, operands, domain }: NodeForm = {}): Lowering =>
  (c) => [
    {
      type,
      inputs: [...c.inputs, ...(operands?.(c) ?? [])],
      outputs: c.outputs,
      attributes: typeof attributes === 'function' ? attributes(c.attributes) : attributes,
      domain,
    },
  ];

const int = (value: number | boolean): OnnxAttribute => ({ int: Number(value) });
const LAST_AXIS = { axis: int(-1) };

const product = (type: string, domain?: string): Lowering =>
  node(type, {
    domain,
    attributes: (given) => ({
      transA: int(flag(given, 'transA')),
      transB: int(flag(given, 'transB')),
      alpha: { float: number(given, 'alpha') },
    }),
  });

const GEMM = product('Gemm');

/** The input of `adapted` and the merged matrix; its other inputs are there for the gradient. */
const FACTORS = node('FusedMatMul', {
  domain: MICROSOFT,
  attributes: (given) => ({ transB: int(flag(given, 'transB')) }),
});

/** `[m, k, 1]` filters over k channels of n values, added to what is in the memory of the result (see accumulate.ts). */
const pointwise: Lowering = ({ inputs: [a = '', b = '', sum = ''], outputs }) => [
  {
    type: 'FusedConv',
    inputs: [b, a, '', sum],
    outputs,
    attributes: { kernel_shape: { ints: [1] } },
    domain: MICROSOFT,
  },
];

/** The same over tiles (see tiles.ts), by the ops of the runtime's own layout. */
const inTiles: Lowering = ({ inputs: [x = '', filters = '', sum], outputs }) => [
  {
    type: 'Conv',
    inputs: sum === undefined ? [x, filters] : [x, filters, '', sum],
    outputs,
    attributes: { kernel_shape: { ints: [1, 1] } },
    domain: TILES,
  },
];

/** What a product that is added to a sum is, by the axes of its result. */
const PRODUCTS: Readonly<Record<number, Lowering>> = { 2: GEMM, 3: pointwise, 4: inTiles };

const TRANSPOSE = node('Transpose', {
  attributes: (given) => ({ perm: { ints: list(given, 'perm') } }),
});

/** Transpositions into tiles and out of them. */
const REORDERS: Readonly<Record<string, Lowering>> = {
  into: node('ReorderInput', { attributes: { channels_last: int(true) }, domain: TILES }),
  'out of': (context) =>
    node('ReorderOutput', {
      attributes: { channels_last: int(true), channels: int(context.outputTypes[0]?.shape[3] ?? 0) },
      domain: TILES,
    })(context),
};

const reduction = (type: string): Lowering =>
  node(type, {
    operands: (c) => [c.ints(list(c.attributes, 'axes'))],
    attributes: (given) => ({ keepdims: int(flag(given, 'keepdims')) }),
  });

const shaped = (type: string): Lowering =>
  node(type, { operands: (c) => [c.ints(list(c.attributes, 'shape'))] });

const normed = (type: string): Lowering =>
  node(type, { attributes: (given) => ({ ...LAST_AXIS, epsilon: { float: number(given, 'epsilon') } }) });

const along = (type: string, more: NodeAttributes = {}): Lowering =>
  node(type, { attributes: (given) => ({ axis: int(number(given, 'axis')), ...more }) });

export const LOWERINGS: Readonly<Record<OpName, Lowering>> = {
  add: node('Add'),
  sub: node('Sub'),
  mul: node('Mul'),
  div: node('Div'),
  neg: node('Neg'),
  exp: node('Exp'),
  log: node('Log'),
  sqrt: node('Sqrt'),
  reciprocal: node('Reciprocal'),
  sigmoid: node('Sigmoid'),
  tanh: node('Tanh'),
  erf: node('Erf'),
  silu: node('QuickGelu', { attributes: { alpha: { float: 1 } }, domain: MICROSOFT }),
  relu: node('Relu'),
  equal: node('Equal'),
  where: node('Where'),
  cast: node('Cast', { attributes: (given) => ({ to: int(ELEMENT[text(given, 'to') as DType]) }) }),
  toBf16: ({ inputs, outputs, temporary }) => {
    const short = temporary();
    return [
      { type: 'Cast', inputs, outputs: [short], attributes: { to: int(BFLOAT16) } },
      { type: 'Cast', inputs: [short], outputs, attributes: { to: int(ELEMENT.f32) } },
    ];
  },
  matmul: product('FusedMatMul', MICROSOFT),
  gemm: (context) => (PRODUCTS[context.outputTypes[0]?.shape.length ?? 2] ?? GEMM)(context),
  adapted: (c) => FACTORS({ ...c, inputs: c.inputs.slice(0, 2) }),
  sum: reduction('ReduceSum'),
  mean: reduction('ReduceMean'),
  max: reduction('ReduceMax'),
  softmax: node('Softmax', { attributes: LAST_AXIS }),
  logSoftmax: node('LogSoftmax', { attributes: LAST_AXIS }),
  // its outputs are y, the mean (which it leaves out) and the inverse deviation
  rmsNorm: normed('SimplifiedLayerNormalization'),
  layerNorm: normed('LayerNormalization'),
  rotary: node('RotaryEmbedding', { attributes: (given) => ({ num_heads: int(number(given, 'heads')) }) }),
  detach: node('Identity'),
  // a leaf, which the runtime visits in its turn, and which reads no element
  fence: ({ inputs, temporary }) => [{ type: 'Shape', inputs, outputs: [temporary()] }],
  reshape: shaped('Reshape'),
  expand: shaped('Expand'),
  transpose: (context) => (REORDERS[`${context.attributes['tiles']}`] ?? TRANSPOSE)(context),
  slice: node('Slice', {
    operands: (c) => ['start', 'end', 'axis'].map((name) => c.ints([number(c.attributes, name)])),
  }),
  pad: node('Pad', {
    operands: ({ attributes, ints, scalar }) => [
      ints([number(attributes, 'before'), number(attributes, 'after')]),
      scalar(0),
      ints([number(attributes, 'axis')]),
    ],
  }),
  concat: along('Concat'),
  gather: node('Gather', { attributes: { axis: int(0) } }),
  scatterRows({ inputs, outputs, outputTypes, inputTypes, ints, scalar, temporary }) {
    const [indices = '', updates = ''] = inputs;
    const [zeros, column, wide] = [temporary(), temporary(), temporary()];
    const attributes = { reduction: { text: 'add' } };
    return [
      { type: 'Expand', inputs: [scalar(0), ints(outputTypes[0]?.shape ?? [])], outputs: [zeros] },
      { type: 'Cast', inputs: [indices], outputs: [wide], attributes: { to: int(ELEMENT.i64) } },
      { type: 'Reshape', inputs: [wide, ints([inputTypes[0]?.shape[0] ?? 0, 1])], outputs: [column] },
      { type: 'ScatterND', inputs: [zeros, column, updates], outputs, attributes },
    ];
  },
  gatherElements: along('GatherElements'),
  scatterElements: along('ScatterElements', { reduction: { text: 'add' } }),
};
