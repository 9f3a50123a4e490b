/** Ops that the GPU has kernels of its own for; the others have those of `lowerings.ts`. */
import { flag, number } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import type { OpName } from '../../ops/names.js';
import { GraphError, sizeOf } from '../../shape.js';
import { CROSS_ENTROPY_GRADIENT, FORM_KERNEL, INTO, ROW_KERNEL } from './kernels/kernel-names.js';
import type { ProductAttributes } from './kernels/product.js';
import type { Tensor } from './library.js';
import { type Lowering, type LoweringContext, reshaped, shapeOf } from './lowering.js';
import type { WeightPart } from './packings.js';
import type { RowRange } from './row-ranges.js';

/** The input of each op that may be packed, or lie in parts. */
export const TAKES_PACKED: Readonly<Partial<Record<OpName, number>>> = {
  matmul: 1,
  gemm: 1,
  adapted: 1,
  gather: 0,
};

const widthOf = (c: LoweringContext): number => shapeOf(c).at(-1) ?? 1;
interface ProductOptions {
  readonly transA?: boolean;
  readonly alpha?: number;
  readonly addend?: Tensor;
  /** The rows of the result that are computed; default: all. */
  readonly range?: RowRange;
}

/**
 * Leading axes are one; rows that share a second factor are rows of one product. Of a second factor in parts each gives
 * columns of the product, or adds its share to it.
 */
export function product(c: LoweringContext, given: ProductOptions = {}): Tensor {
  const [transA, transB] = [given.transA ?? flag(c.attributes, 'transA'), flag(c.attributes, 'transB')];
  const { shape } = argument(c.outputTypes, 0);
  const batch = sizeOf(shapeOf(c, 1).slice(0, -2));
  const [columns, depth] = [shape.at(-1) ?? 1, shapeOf(c).at(transA ? -2 : -1) ?? 1];
  const height = sizeOf(shape.slice(0, -1)) / batch;
  const { range = { first: 0, rows: height } } = given;
  const whole: ProductAttributes = {
    shape: [batch, range.rows, columns],
    whole: [height, depth],
    firstRow: range.first,
    depth,
    width: columns,
    firstColumn: 0,
    firstDepth: 0,
    transA,
    transB,
    alpha: given.alpha ?? number(c.attributes, 'alpha'),
  };
  const { form, parts } = c.weight(1);
  const [a, { addend }] = [argument(c.inputs, 0), given];
  const result = inParts(parts, ({ first, rows, handles }, into) => {
    const share = transB
      ? { shape: [batch, range.rows, rows], firstColumn: first }
      : { depth: rows, firstDepth: first };
    const added = transB || first === 0 ? { ...(addend && { addend }) } : {};
    const attributes = { ...whole, ...(parts.length === 1 ? {} : share), form, sums: !transB && first > 0 };
    return c.kernel(FORM_KERNEL.product, { a, ...handles, ...added, ...into }, attributes);
  });
  return reshaped(c, result, given.range === undefined ? shape : [range.rows, columns]);
}

/** Lets each part write into what the first one gave. */
function inParts(
  parts: readonly WeightPart[],
  write: (part: WeightPart, into: { readonly [INTO]?: Tensor }) => Tensor,
): Tensor {
  const [first, ...others] = parts;
  if (first === undefined) throw new GraphError('a weight without parts');
  return others.reduce((result, part) => write(part, { [INTO]: result }), write(first, {}));
}

export const GPU_LOWERINGS: Partial<Readonly<Record<OpName, Lowering>>> = {
  matmul: (c) => [product(c)],
  gemm: (c) => [product(c, { addend: argument(c.inputs, 2) })],
  adapted: (c) => [product(c, { transA: false, alpha: 1 })],
  gather: (c) => {
    const { form, parts } = c.weight(0);
    const rest = shapeOf(c).slice(1);
    const indices = argument(c.inputs, 1);
    const found = inParts(parts, ({ first, rows, handles }, into) => {
      const attributes = { form, rest, inner: sizeOf(rest), first, rows };
      return c.kernel(FORM_KERNEL.gatherRows, { ...handles, indices, ...into }, attributes);
    });
    return [found];
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
 * the columns, and the gradient of the logits, which lies where they lay if nothing reads them any more.
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
