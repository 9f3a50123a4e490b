/** Matrix products: alpha·op(A)·op(B), where op transposes the last two axes on demand. */
import { flag, number } from '../attributes.js';
import type { GraphBuilder, ProductOptions } from '../builder.js';
import { f32, type Shape, sameShape, sizeOf } from '../shape.js';
import type { Attributes, TensorType, ValueId } from '../types.js';
import { argument, expect, type GradientContext, type OpDefinition, upstream } from './definition.js';

/**
 * `[…, m, k] × […, k, n] → […, m, n]`; the leading axes agree, or the last of them is 1 in the second factor, which
 * then meets all that the first has there.
 */
function productShape(inputs: readonly TensorType[], attributes: Attributes): Shape {
  const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
  expect(a.dtype === 'f32' && b.dtype === 'f32', 'a product is of f32');
  const rank = a.shape.length;
  expect(rank >= 2 && rank === b.shape.length, `product of ranks ${rank} and ${b.shape.length}`);
  const [m, k] = matrix(a.shape, flag(attributes, 'transA'));
  const [inner, n] = matrix(b.shape, flag(attributes, 'transB'));
  const lead = a.shape.slice(0, -2);
  expect(
    k === inner && (sameShape(lead, b.shape.slice(0, -2)) || isShared(a.shape, b.shape, attributes)),
    `product of [${a.shape.join()}] and [${b.shape.join()}]`,
  );
  return [...lead, m, n];
}

/** Whether the second factor is one for several of the first, whose rows then lie one after the other. */
function isShared(a: Shape, b: Shape, attributes: Attributes): boolean {
  const [first, second] = [a.slice(0, -2), b.slice(0, -2)];
  const shared = second.at(-1) === 1 && (first.at(-1) ?? 1) > 1 && !flag(attributes, 'transA');
  return shared && sameShape(first.slice(0, -1), second.slice(0, -1));
}

function matrix(shape: Shape, transposed: boolean): readonly [number, number] {
  const [rows, columns] = [argument(shape, shape.length - 2), argument(shape, shape.length - 1)];
  return transposed ? [columns, rows] : [rows, columns];
}

const productCost = (inputs: readonly TensorType[], outputs: readonly TensorType[], attributes: Attributes) =>
  2 * sizeOf(argument(outputs, 0).shape) * matrix(argument(inputs, 0).shape, flag(attributes, 'transA'))[1];

/** Gradients of A and B in the four cases of transposition; no explicit transpose is ever needed. */
function productGradient(context: GradientContext): readonly (ValueId | undefined)[] {
  const { builder: g, attributes, needs } = context;
  const [a, b, dy] = [argument(context.inputs, 0), argument(context.inputs, 1), upstream(context)];
  const [ta, tb] = [flag(attributes, 'transA'), flag(attributes, 'transB')];
  const alpha = number(attributes, 'alpha');
  const product = (x: ValueId, y: ValueId, transA: boolean, transB: boolean) =>
    wide(g, x, y, { transA, transB, alpha });
  if (isShared(g.shapeOf(a), g.shapeOf(b), attributes)) {
    // of each of the first factors, then their sum: as many products as in the forward pass share the threads
    const each = () => (tb ? product(dy, a, true, false) : product(a, dy, true, false));
    return [
      needs[0] ? product(dy, b, false, !tb) : undefined,
      needs[1] ? g.sum(each(), [g.shapeOf(b).length - 3], true) : undefined,
    ];
  }
  return [
    needs[0] ? (ta ? product(b, dy, tb, true) : product(dy, b, false, !tb)) : undefined,
    needs[1] ? (tb ? product(dy, a, true, ta) : product(a, dy, !ta, false)) : undefined,
  ];
}

export const matmul: OpDefinition = {
  infer: (inputs, attributes) => [f32(productShape(inputs, attributes))],
  gradient: productGradient,
  cost: productCost,
};

/** A product of matrices added to a third: `[m, k] × [k, n] + [m, n]`; the fused form of `add(matmul(…), …)`. */
export const gemm: OpDefinition = {
  infer(inputs, attributes) {
    const shape = productShape(inputs.slice(0, 2), attributes);
    expect(shape.length === 2, 'gemm is of matrices');
    expect(sameShape(shape, argument(inputs, 2).shape), 'the addend of gemm has the shape of the product');
    return [f32(shape)];
  },
  gradient: (context) => [...productGradient(context), context.needs[2] ? upstream(context) : undefined],
  cost: (inputs, outputs, attributes) =>
    productCost(inputs, outputs, attributes) + sizeOf(argument(outputs, 0).shape),
  memory: { inPlace: [2] },
};

/** Columns up to which a product of many rows is computed turned: kernels share out rows of 48 columns and more. */
const NARROW = 32;

/** A product; a narrow one, as of a low rank's gradient, as its transpose, which takes half the time. */
function wide(g: GraphBuilder, x: ValueId, y: ValueId, options: Required<ProductOptions>): ValueId {
  const { transA, transB, alpha } = options;
  const [rows, columns] = [matrix(g.shapeOf(x), transA)[0], matrix(g.shapeOf(y), transB)[1]];
  const turned = g.shapeOf(x).length === 2 && transA && columns <= NARROW && rows >= 4 * columns;
  return turned
    ? g.transpose(g.matmul(y, x, { transA: !transB, transB: !transA, alpha }), [1, 0])
    : g.matmul(x, y, options);
}

/**
 * x `[n, k]` times a matrix that has the update of a low rank in it already: merged = plain + scale·up·down, with
 * down `[r, k]` and up `[m, r]` (where `transB`; else the update lies transposed, as the matrix does). One product
 * takes the place of three; the gradients of down and up are those of the three. Neither matrix carries a gradient.
 * The gradient of x is taken from the merged matrix (`mergedBack`), or from the plain one and the factors, which
 * costs less where there are fewer rows than the merging of it takes.
 */
export const adapted: OpDefinition = {
  infer: (inputs, attributes) => [f32(productShape(inputs.slice(0, 2), { ...attributes, ...ADAPTED }))],
  gradient(context) {
    const { builder: g, attributes, needs, inputs } = context;
    const [x, merged, plain] = [argument(inputs, 0), argument(inputs, 1), argument(inputs, 2)];
    const [down, up, dy] = [argument(inputs, 3), argument(inputs, 4), upstream(context)];
    const alpha = number(attributes, 'scale');
    const transB = !flag(attributes, 'transB');
    const low = () => g.matmul(x, down, { transB: true });
    const dlow = g.matmul(dy, up, { alpha });
    const dx = () =>
      flag(attributes, 'mergedBack')
        ? g.matmul(dy, merged, { transB })
        : g.add(g.matmul(dy, plain, { transB }), g.matmul(dlow, down));
    return [
      needs[0] ? dx() : undefined,
      undefined,
      undefined,
      needs[3] ? g.matmul(dlow, x, { transA: true }) : undefined,
      needs[4] ? wide(g, dy, low(), { transA: true, transB: false, alpha }) : undefined,
    ];
  },
  cost: (inputs, outputs, attributes) => productCost(inputs, outputs, { ...attributes, ...ADAPTED }),
};

const ADAPTED = { transA: false };
