/** Ops that the GPU has kernels of its own for; those of `lowerings.ts` stand for the others. */
import { flag, number } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import type { OpName } from '../../ops/names.js';
import { type Shape, sizeOf } from '../../shape.js';
import type { FormName } from './kernels/forms.js';
import { CROSS_ENTROPY_GRADIENT, FORM_KERNEL, ROW_KERNEL } from './kernels/names.js';
import type { ProductAttributes } from './kernels/product.js';
import type { Tensor } from './library.js';
import type { Lowering, LoweringContext } from './lowering.js';

/** The input of each op that may be packed. */
export const TAKES_PACKED: Readonly<Partial<Record<OpName, number>>> = {
  matmul: 1,
  gemm: 1,
  adapted: 1,
  gather: 0,
};

const shapeOf = (c: LoweringContext, index = 0): Shape => argument(c.inputTypes, index).shape;
const widthOf = (c: LoweringContext): number => shapeOf(c).at(-1) ?? 1;
const reshaped = (c: LoweringContext, x: Tensor, shape: Shape): Tensor =>
  c.kernel('Reshape', { x }, { shape });

/** The handles of an input in whatever form it lies, by the names that kernels give them. */
function weight(
  c: LoweringContext,
  index: number,
): { readonly form: FormName; readonly handles: Readonly<Record<string, Tensor>> } {
  const packed = c.packed(index);
  return packed === undefined
    ? { form: 'f32', handles: { b: argument(c.inputs, index) } }
    : { form: packed.form, handles: packed.handles };
}

/** Leading axes are one; rows that share a second factor are rows of one product. */
function product(
  c: LoweringContext,
  given: { transA?: boolean; alpha?: number; addend?: Tensor } = {},
): Tensor {
  const transA = given.transA ?? flag(c.attributes, 'transA');
  const { shape } = argument(c.outputTypes, 0);
  const [a, b] = [shapeOf(c), shapeOf(c, 1)];
  const batch = sizeOf(b.slice(0, -2));
  const { form, handles } = weight(c, 1);
  const attributes: ProductAttributes = {
    shape: [batch, sizeOf(shape.slice(0, -1)) / batch, shape.at(-1) ?? 1],
    depth: a.at(transA ? -2 : -1) ?? 1,
    transA,
    transB: flag(c.attributes, 'transB'),
    alpha: given.alpha ?? number(c.attributes, 'alpha'),
  };
  const inputs: Record<string, Tensor> = { a: argument(c.inputs, 0), ...handles };
  if (given.addend !== undefined) inputs['addend'] = given.addend;
  return reshaped(c, c.kernel(FORM_KERNEL.product, inputs, { ...attributes, form }), shape);
}

export const GPU_LOWERINGS: Partial<Readonly<Record<OpName, Lowering>>> = {
  matmul: (c) => [product(c)],
  gemm: (c) => [product(c, { addend: argument(c.inputs, 2) })],
  adapted: (c) => [product(c, { transA: false, alpha: 1 })],
  gather: (c) => {
    const { form, handles } = weight(c, 0);
    const rest = shapeOf(c).slice(1);
    const inputs = { ...handles, indices: argument(c.inputs, 1) };
    return [c.kernel(FORM_KERNEL.gatherRows, inputs, { form, rest, inner: sizeOf(rest) })];
  },
  silu: (c) => [c.kernel(ROW_KERNEL.silu, { x: argument(c.inputs, 0) })],
  rmsNorm: (c) => {
    const [x, weights] = [argument(c.inputs, 0), argument(c.inputs, 1)];
    const width = widthOf(c);
    const epsilon = number(c.attributes, 'epsilon');
    const scale = c.kernel(ROW_KERNEL.inverseScale, { x }, { width, epsilon });
    return [c.kernel(ROW_KERNEL.scaled, { x, scale, weight: weights }, { width }), scale];
  },
  rotary: (c) => {
    const [x, cos, sin] = [argument(c.inputs, 0), argument(c.inputs, 1), argument(c.inputs, 2)];
    const width = widthOf(c);
    const half = width / number(c.attributes, 'heads') / 2;
    return [c.kernel(ROW_KERNEL.rotary, { x, cos, sin }, { width, half })];
  },
  logSoftmax: (c) => [c.kernel(ROW_KERNEL.logSoftmax, { x: argument(c.inputs, 0) }, { width: widthOf(c) })],
};

/**
 * Over logits `[rows, classes]`, a column of each row, and where it is given an upstream gradient of each row: log p at
 * the columns, and the gradient of the logits, which lies where they lay if nobody reads them any more.
 */
export const crossEntropy: Lowering = (c) => {
  const [x, indices] = [argument(c.inputs, 0), argument(c.inputs, 1)];
  const [upstream, width] = [c.inputs[2], widthOf(c)];
  const sums = c.kernel(ROW_KERNEL.softmaxSums, { x }, { width });
  const picked = c.kernel(ROW_KERNEL.pickedLogarithm, { x, sums, indices }, { width });
  if (upstream === undefined) return [picked];
  const attributes = { width, overwrites: c.mayOverwrite(0) };
  return [picked, c.kernel(CROSS_ENTROPY_GRADIENT, { x, sums, indices, upstream }, attributes)];
};
