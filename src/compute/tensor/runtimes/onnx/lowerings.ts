/** How each op is said in ONNX. */
import { flag, list, number, text } from '../../attributes.js';
import type { OpName } from '../../ops/names.js';
import type { Attributes, DType, TensorType } from '../../types.js';
import { BFLOAT16, ELEMENT, type OnnxAttribute, type OnnxNode } from './model.js';

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

const simple =
  (type: string, attributes?: Readonly<Record<string, OnnxAttribute>>, domain?: string): Lowering =>
  ({ inputs, outputs }) => [{ type, inputs, outputs, attributes, domain }];

const product =
  (type: string, domain?: string): Lowering =>
  ({ inputs, outputs, attributes }) => [
    {
      type,
      inputs,
      outputs,
      domain,
      attributes: {
        transA: { int: Number(flag(attributes, 'transA')) },
        transB: { int: Number(flag(attributes, 'transB')) },
        alpha: { float: number(attributes, 'alpha') },
      },
    },
  ];

const GEMM = product('Gemm');

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

const reduction =
  (type: string): Lowering =>
  ({ inputs, outputs, attributes, ints }) => [
    {
      type,
      inputs: [...inputs, ints(list(attributes, 'axes'))],
      outputs,
      attributes: { keepdims: { int: Number(flag(attributes, 'keepdims')) } },
    },
  ];

const shaped =
  (type: string): Lowering =>
  ({ inputs, outputs, attributes, ints }) => [
    { type, inputs: [...inputs, ints(list(attributes, 'shape'))], outputs },
  ];

const along =
  (type: string, extra: Readonly<Record<string, OnnxAttribute>> = {}): Lowering =>
  ({ inputs, outputs, attributes }) => [
    { type, inputs, outputs, attributes: { axis: { int: number(attributes, 'axis') }, ...extra } },
  ];

export const LOWERINGS: Readonly<Record<OpName, Lowering>> = {
  add: simple('Add'),
  sub: simple('Sub'),
  mul: simple('Mul'),
  div: simple('Div'),
  neg: simple('Neg'),
  exp: simple('Exp'),
  log: simple('Log'),
  sqrt: simple('Sqrt'),
  reciprocal: simple('Reciprocal'),
  sigmoid: simple('Sigmoid'),
  tanh: simple('Tanh'),
  erf: simple('Erf'),
  silu: simple('QuickGelu', { alpha: { float: 1 } }, MICROSOFT),
  relu: simple('Relu'),
  equal: simple('Equal'),
  where: simple('Where'),
  cast: ({ inputs, outputs, attributes }) => [
    { type: 'Cast', inputs, outputs, attributes: { to: { int: ELEMENT[text(attributes, 'to') as DType] } } },
  ],
  toBf16: ({ inputs, outputs, temporary }) => {
    const short = temporary();
    return [
      { type: 'Cast', inputs, outputs: [short], attributes: { to: { int: BFLOAT16 } } },
      { type: 'Cast', inputs: [short], outputs, attributes: { to: { int: ELEMENT.f32 } } },
    ];
  },
  matmul: product('FusedMatMul', MICROSOFT),
  gemm: (context) => (context.outputTypes[0]?.shape.length === 3 ? pointwise(context) : GEMM(context)),
  adapted: ({ inputs, outputs, attributes }) => [
    {
      type: 'FusedMatMul',
      inputs: inputs.slice(0, 2),
      outputs,
      domain: MICROSOFT,
      attributes: { transB: { int: Number(flag(attributes, 'transB')) } },
    },
  ],
  sum: reduction('ReduceSum'),
  mean: reduction('ReduceMean'),
  max: reduction('ReduceMax'),
  softmax: simple('Softmax', { axis: { int: -1 } }),
  logSoftmax: simple('LogSoftmax', { axis: { int: -1 } }),
  // its outputs are y, the mean (which it leaves out) and the inverse deviation
  rmsNorm: ({ inputs, outputs, attributes }) => [
    {
      type: 'SimplifiedLayerNormalization',
      inputs,
      outputs,
      attributes: { axis: { int: -1 }, epsilon: { float: number(attributes, 'epsilon') } },
    },
  ],
  layerNorm: ({ inputs, outputs, attributes }) => [
    {
      type: 'LayerNormalization',
      inputs,
      outputs,
      attributes: { axis: { int: -1 }, epsilon: { float: number(attributes, 'epsilon') } },
    },
  ],
  rotary: ({ inputs, outputs, attributes }) => [
    {
      type: 'RotaryEmbedding',
      inputs,
      outputs,
      attributes: { num_heads: { int: number(attributes, 'heads') } },
    },
  ],
  detach: simple('Identity'),
  reshape: shaped('Reshape'),
  expand: shaped('Expand'),
  transpose: ({ inputs, outputs, attributes }) => [
    { type: 'Transpose', inputs, outputs, attributes: { perm: { ints: list(attributes, 'perm') } } },
  ],
  slice: ({ inputs, outputs, attributes, ints }) => [
    {
      type: 'Slice',
      inputs: [
        ...inputs,
        ints([number(attributes, 'start')]),
        ints([number(attributes, 'end')]),
        ints([number(attributes, 'axis')]),
      ],
      outputs,
    },
  ],
  pad: ({ inputs, outputs, attributes, ints, scalar }) => [
    {
      type: 'Pad',
      inputs: [
        ...inputs,
        ints([number(attributes, 'before'), number(attributes, 'after')]),
        scalar(0),
        ints([number(attributes, 'axis')]),
      ],
      outputs,
    },
  ],
  concat: along('Concat'),
  gather: simple('Gather', { axis: { int: 0 } }),
  scatterRows({ inputs, outputs, outputTypes, inputTypes, ints, scalar, temporary }): readonly OnnxNode[] {
    const [indices = '', updates = ''] = inputs;
    const [zeros, column, wide] = [temporary(), temporary(), temporary()];
    return [
      { type: 'Expand', inputs: [scalar(0), ints(outputTypes[0]?.shape ?? [])], outputs: [zeros] },
      { type: 'Cast', inputs: [indices], outputs: [wide], attributes: { to: { int: ELEMENT.i64 } } },
      { type: 'Reshape', inputs: [wide, ints([inputTypes[0]?.shape[0] ?? 0, 1])], outputs: [column] },
      {
        type: 'ScatterND',
        inputs: [zeros, column, updates],
        outputs,
        attributes: { reduction: { text: 'add' } },
      },
    ];
  },
  gatherElements: along('GatherElements'),
  scatterElements: along('ScatterElements', { reduction: { text: 'add' } }),
};
