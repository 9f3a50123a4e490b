/** Matrix products: alpha·op(A)·op(B), where op transposes the last two axes on demand. */
import { flag, number } from '../attributes.js';
import { f32, type Shape, sameShape, sizeOf } from '../shape.js';
import type { Attributes, TensorType, ValueId } from '../types.js';
import { argument, expect, type GradientContext, type OpDefinition, upstream } from './definition.js';

/** `[…, m, k] × […, k, n] → […, m, n]`; the leading axes agree. */
function productShape(inputs: readonly TensorType[], attributes: Attributes): Shape {
  const [a, b] = [argument(inputs, 0), argument(inputs, 1)];
  expect(a.dtype === 'f32' && b.dtype === 'f32', 'a product is of f32');
  const rank = a.shape.length;
  expect(rank >= 2 && rank === b.shape.length, `product of ranks ${rank} and ${b.shape.length}`);
  const [m, k] = matrix(a.shape, flag(attributes, 'transA'));
  const [inner, n] = matrix(b.shape, flag(attributes, 'transB'));
  const lead = a.shape.slice(0, -2);
  expect(
    k === inner && sameShape(lead, b.shape.slice(0, -2)),
    `product of [${a.shape.join()}] and [${b.shape.join()}]`,
  );
  return [...lead, m, n];
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
    g.matmul(x, y, { transA, transB, alpha });
  return [
    needs[0] ? (ta ? product(b, dy, tb, true) : product(dy, b, false, !tb)) : undefined,
    needs[1] ? (tb ? product(dy, a, true, ta) : product(a, dy, !ta, false)) : undefined,
  ];
}

export const matmul: OpDefinition = {
  infer: (inputs, attributes) => [f32(productShape(inputs, attributes))],
  gradient: productGradient,
  cost: productCost,
  memory: {},
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
  memory: {},
};
