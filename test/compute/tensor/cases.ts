/** Small graphs that use each op at least once; the suites run all of them on every runtime. */
import { GraphBuilder } from '../../../src/compute/tensor/builder.js';
import type { OpName } from '../../../src/compute/tensor/ops/names.js';
import { sizeOf } from '../../../src/compute/tensor/shape.js';
import type { Graph, HostTensor, ValueId } from '../../../src/compute/tensor/types.js';

export interface Case {
  readonly op: OpName;
  readonly title: string;
  /** Declares inputs and gives the results, which become outputs. */
  readonly build: (b: GraphBuilder) => readonly ValueId[];
  /** Values of inputs that may not be random, by name. */
  readonly values?: Readonly<Record<string, readonly number[]>>;
  /** Inputs are drawn from 0.5 to 1.5 where the function needs positive ones. */
  readonly positive?: boolean;
}

const UNARY = [
  'neg',
  'exp',
  'log',
  'sqrt',
  'reciprocal',
  'sigmoid',
  'tanh',
  'erf',
  'silu',
  'relu',
  'softmax',
  'logSoftmax',
] as const;

const unary = (op: (typeof UNARY)[number]): Case => ({
  op,
  title: 'of a matrix',
  build: (b) => [b[op](b.input('x', [3, 5]))],
  positive: op === 'log' || op === 'sqrt' || op === 'reciprocal',
});

const rounding: Case = {
  op: 'toBf16',
  title: 'to the nearest, ties to even',
  build: (b) => [b.toBf16(b.input('x', [2, 4]))],
  values: { x: [1 + 2 ** -8, 1 + 3 * 2 ** -8, 1.001, -1 / 3, 1e-30, 65504, -0, 3.3e38] },
};

const binary = (op: 'add' | 'sub' | 'mul' | 'div', left: number[], right: number[]): Case => ({
  op,
  title: `[${left}] with [${right}]`,
  build: (b) => [b[op](b.input('x', left), b.input('y', right))],
  positive: op === 'div',
});

const SHAPES: readonly (readonly [number[], number[]])[] = [
  [
    [2, 3],
    [2, 3],
  ],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [[4], [2, 1]],
  [[2, 3], []],
];

const FLAGS = [false, true];

const products: readonly Case[] = FLAGS.flatMap((transA) =>
  FLAGS.flatMap((transB): readonly Case[] => {
    const a = transA ? [4, 3] : [3, 4];
    const c = transB ? [5, 4] : [4, 5];
    const title = `transA ${transA}, transB ${transB}`;
    const options = { transA, transB, alpha: 0.7 };
    return [
      { op: 'matmul', title, build: (b) => [b.matmul(b.input('x', a), b.input('y', c), options)] },
      {
        op: 'matmul',
        title: `batched, ${title}`,
        build: (b) => [b.matmul(b.input('x', [2, 3, ...a]), b.input('y', [2, 3, ...c]), options)],
      },
      ...(transA
        ? []
        : [
            {
              op: 'matmul' as const,
              title: `with a factor that is shared, ${title}`,
              build: (b: GraphBuilder) => [
                b.matmul(b.input('x', [2, 3, ...a]), b.input('y', [2, 1, ...c]), options),
              ],
            },
          ]),
      {
        op: 'gemm',
        title,
        build: (b) => [b.gemm(b.input('x', a), b.input('y', c), b.input('z', [3, 5]), options)],
      },
    ];
  }),
);

const adapted: readonly Case[] = FLAGS.flatMap((transB) =>
  FLAGS.map(
    (mergedBack): Case => ({
      op: 'adapted',
      title: `transB ${transB}, merged back ${mergedBack}`,
      build(b) {
        const shape = transB ? [5, 4] : [4, 5];
        const plain = b.constant(
          Float32Array.from({ length: 20 }, (_, at) => Math.sin(at)),
          shape,
        );
        const [x, down, up] = [b.input('x', [3, 4]), b.input('down', [2, 4]), b.input('up', [5, 2])];
        const scale = 0.7;
        const merged = transB
          ? b.gemm(up, down, plain, { alpha: scale })
          : b.gemm(down, up, plain, { transA: true, transB: true, alpha: scale });
        return [b.adapted({ x, merged, plain, down, up }, { transB, scale, mergedBack })];
      },
    }),
  ),
);

const reductions: readonly Case[] = (['sum', 'mean', 'max'] as const).flatMap((op) =>
  ([[[0]], [[1, 2]], [[-1]], [[0, 1, 2]]] as const).flatMap(([axes]) =>
    FLAGS.map(
      (keepdims): Case => ({
        op,
        title: `over [${axes}], keepdims ${keepdims}`,
        build: (b) => [b[op](b.input('x', [2, 3, 4]), axes, keepdims)],
      }),
    ),
  ),
);

export const CASES: readonly Case[] = [
  ...(['add', 'sub', 'mul', 'div'] as const).flatMap((op) => SHAPES.map(([x, y]) => binary(op, x, y))),
  ...UNARY.map(unary),
  rounding,
  {
    op: 'equal',
    title: 'and back to numbers',
    build: (b) => [b.cast(b.equal(b.input('x', [4]), b.input('y', [4])), 'f32')],
    values: { x: [1, 2, 3, 4], y: [1, 0, 3, 5] },
  },
  {
    op: 'detach',
    title: 'beside the value itself',
    build: (b) => {
      const x = b.input('x', [3]);
      return [b.mul(b.detach(b.exp(x)), b.input('y', [3]))];
    },
  },
  {
    op: 'fence',
    title: 'after the first of two products',
    build: (b) => {
      const [x, y] = [b.input('x', [2, 2]), b.input('y', [2, 2])];
      const first = b.matmul(x, y);
      b.fence(first);
      return [b.add(b.matmul(y, x), first)];
    },
  },
  {
    op: 'where',
    title: 'with a broadcast condition',
    build: (b) => [b.where(b.input('c', [2, 1], 'bool'), b.input('x', [2, 3]), b.input('y', [3]))],
    values: { c: [1, 0] },
  },
  {
    op: 'cast',
    title: 'of a mask',
    build: (b) => [b.mul(b.input('x', [3]), b.cast(b.input('c', [3], 'bool'), 'f32'))],
    values: { c: [1, 0, 1] },
  },
  ...products,
  ...adapted,
  ...reductions,
  {
    op: 'max',
    title: 'of two equals, which share the gradient',
    build: (b) => [b.max(b.input('x', [2, 3]), [1])],
    values: { x: [2, 2, 1, -1, 0, 0] },
  },
  {
    op: 'softmax',
    title: 'with a masked end',
    build: (b) => [b.softmax(b.add(b.input('x', [2, 2, 3]), b.input('mask', [2, 3])))],
    values: { mask: [0, -1e9, -1e9, 0, 0, -1e9] },
  },
  {
    op: 'rmsNorm',
    title: 'of [2,3,8]',
    build: (b) => [b.rmsNorm(b.input('x', [2, 3, 8]), b.input('w', [8]), 1e-5)],
  },
  {
    op: 'layerNorm',
    title: 'of the last axis',
    build: (b) => [b.layerNorm(b.input('x', [2, 3, 8]), b.input('w', [8]), b.input('c', [8]), 1e-5)],
  },
  {
    op: 'rotary',
    title: 'of two heads',
    build: (b) => [
      b.rotary(b.input('x', [2, 3, 12]), b.input('cos', [2, 3, 3]), b.input('sin', [2, 3, 3]), 2),
    ],
  },
  { op: 'reshape', title: 'of a matrix', build: (b) => [b.reshape(b.neg(b.input('x', [2, 6])), [3, 4])] },
  { op: 'expand', title: 'along two axes', build: (b) => [b.expand(b.input('x', [3, 1]), [2, 3, 4])] },
  { op: 'transpose', title: '0213', build: (b) => [b.transpose(b.input('x', [2, 3, 4, 5]), [0, 2, 1, 3])] },
  { op: 'transpose', title: '201', build: (b) => [b.transpose(b.input('x', [2, 3, 4]), [2, 0, 1])] },
  { op: 'slice', title: 'in the middle', build: (b) => [b.slice(b.input('x', [2, 5, 3]), 1, 1, 4)] },
  { op: 'pad', title: 'on both sides', build: (b) => [b.pad(b.input('x', [2, 3]), -1, 1, 2)] },
  {
    op: 'concat',
    title: 'of three',
    build: (b) => [b.concat([b.input('x', [2, 1]), b.input('y', [2, 3]), b.input('z', [2, 2])], 1)],
  },
  {
    op: 'gather',
    title: 'of rows, one twice',
    build: (b) => [b.gather(b.input('x', [5, 3]), b.input('i', [2, 2], 'i32'))],
    values: { i: [4, 0, 0, 2] },
  },
  {
    op: 'scatterRows',
    title: 'with equal indices',
    build: (b) => [b.scatterRows(b.input('i', [3], 'i32'), b.input('x', [3, 2]), 4)],
    values: { i: [1, 3, 1] },
  },
  {
    op: 'gatherElements',
    title: 'along the last axis',
    build: (b) => [b.gatherElements(b.input('x', [3, 4]), b.input('i', [3, 2], 'i32'), 1)],
    values: { i: [0, 3, 1, 1, 2, 0] },
  },
  {
    op: 'gatherElements',
    title: 'along the axis in the middle',
    build: (b) => [b.gatherElements(b.input('x', [2, 4, 3]), b.input('i', [2, 2, 3], 'i32'), 1)],
    values: { i: [0, 3, 1, 1, 2, 0, 3, 3, 2, 0, 1, 2] },
  },
  {
    op: 'scatterElements',
    title: 'with equal indices',
    build: (b) => [
      b.scatterElements(b.input('x', [3, 4]), b.input('i', [3, 2], 'i32'), b.input('u', [3, 2]), 1),
    ],
    values: { i: [0, 3, 1, 1, 2, 0] },
  },
  {
    op: 'scatterElements',
    title: 'along the axis in the middle',
    build: (b) => [
      b.scatterElements(b.input('x', [2, 4, 3]), b.input('i', [2, 2, 3], 'i32'), b.input('u', [2, 2, 3]), 1),
    ],
    values: { i: [0, 3, 1, 0, 2, 0, 3, 3, 2, 3, 1, 2] },
  },
];

export function graphOf(test: Case): Graph {
  const builder = new GraphBuilder(`${test.op} ${test.title}`);
  test.build(builder).forEach((value, index) => {
    builder.output(`result${index}`, value);
  });
  return builder.build();
}

/** A small generator of equal numbers on every machine (mulberry32), in [0, 1). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function inputsOf(test: Case, graph: Graph): Record<string, HostTensor> {
  const random = randomNumbers(test.op.length * 1000 + test.title.length);
  return Object.fromEntries(
    graph.inputs.map(({ name, value }) => {
      const type = graph.types[value] ?? { dtype: 'f32' as const, shape: [] };
      const numbers =
        test.values?.[name] ??
        Array.from({ length: sizeOf(type.shape) }, () =>
          test.positive ? random() + 0.5 : random() * 3 - 1.5,
        );
      const data =
        type.dtype === 'i32'
          ? Int32Array.from(numbers)
          : type.dtype === 'bool'
            ? Uint8Array.from(numbers)
            : Float32Array.from(numbers);
      return [name, { type, data }];
    }),
  );
}
