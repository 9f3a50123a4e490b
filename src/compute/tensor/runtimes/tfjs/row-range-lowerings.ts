/** Ops over values that are larger than a tensor may be: each range of rows by itself. */
import { list } from '../../attributes.js';
import { argument } from '../../ops/definition.js';
import type { OpName } from '../../ops/names.js';
import { type Shape, sameShape, sizeOf } from '../../shape.js';
import type { TensorType } from '../../types.js';
import type { NodeLowering } from './fusions.js';
import { product } from './gpu-lowerings.js';
import { KERNEL } from './kernels/kernel-names.js';
import type { Tensor } from './library.js';
import type { Lowering, LoweringContext } from './lowering.js';
import {
  bytesOnGpu,
  type Handle,
  hasRuns,
  type RowRange,
  rangeShape,
  rowRangesOfShape,
} from './row-ranges.js';
import { tooLargeForGpu } from './webgpu-out-of-memory.js';

/** What an op is given, as far as its types go. */
type NodeTypes = Pick<LoweringContext, 'inputTypes' | 'outputTypes' | 'attributes'>;

interface RowRangeRule {
  readonly fits: (types: NodeTypes) => boolean;
  /** What the op gives in the rows of a range; `part` is an input's part of them. */
  readonly lower: (
    context: LoweringContext,
    range: RowRange,
    part: (index: number) => Tensor,
    whole: Lowering,
  ) => Tensor;
}

/** The shape whose rows are cut: that of the largest value. */
const cutShape = ({ inputTypes, outputTypes }: NodeTypes): Shape =>
  [...outputTypes, ...inputTypes].reduce<Shape>(
    (a, { shape }) => (sizeOf(shape) > sizeOf(a) ? shape : a),
    [],
  );

/** Whether a value has the rows that are cut, and is not repeated along them. */
const hasRows = (shape: Shape, cut: Shape): boolean => shape.length === cut.length && shape[0] === cut[0];

/** Of what gives a row for each row that it is given. */
const byRow = (fits: RowRangeRule['fits']): RowRangeRule => ({
  fits,
  lower(c, range, part, whole) {
    const shape = cutShape(c);
    const cut = (type: TensorType): TensorType => ({ ...type, shape: rangeShape(type.shape, range) });
    const results = whole({
      ...c,
      inputs: c.inputs.map((_, index) => part(index)),
      inputTypes: c.inputTypes.map((type) => (hasRows(type.shape, shape) ? cut(type) : type)),
      outputTypes: c.outputTypes.map(cut),
      mayOverwrite: () => false,
    });
    return argument(results, 0);
  },
});

/** Of a matrix: the gradient of a weight. */
const PRODUCT: RowRangeRule = {
  fits: (c) =>
    argument(c.outputTypes, 0).shape.length === 2 && sameShape(argument(c.outputTypes, 0).shape, cutShape(c)),
  lower: (c, range, part) => product(c, { range, ...(c.inputs.length > 2 && { addend: part(2) }) }),
};

const ELEMENTWISE = byRow(() => true);

const RULES: Readonly<Partial<Record<OpName, RowRangeRule>>> = {
  add: ELEMENTWISE,
  sub: ELEMENTWISE,
  mul: ELEMENTWISE,
  div: ELEMENTWISE,
  neg: ELEMENTWISE,
  sqrt: ELEMENTWISE,
  reciprocal: ELEMENTWISE,
  toBf16: ELEMENTWISE,
  detach: ELEMENTWISE,
  sum: byRow((c) => list(c.attributes, 'axes').every((axis) => axis !== 0 && axis !== -cutShape(c).length)),
  matmul: PRODUCT,
  gemm: PRODUCT,
  scatterRows: {
    fits: (c) => sameShape(argument(c.outputTypes, 0).shape, cutShape(c)),
    lower(c, { first, rows }) {
      const [indices, updates] = [argument(c.inputs, 0), argument(c.inputs, 1)];
      const [count = 0, ...rest] = updates.shape;
      return c.kernel(KERNEL.scatterRows, { indices, updates }, { first, rows, count, inner: sizeOf(rest) });
    },
  },
};

/** The rule of the op for what it is given; `undefined` if there is none. */
function ruleFor(
  { node, takesPacked }: NodeLowering,
  types: NodeTypes,
  largest: number,
): RowRangeRule | undefined {
  const rule = RULES[node.op as OpName];
  const shape = cutShape(types);
  const others = types.inputTypes.filter((_, index) => index !== takesPacked);
  const alike = [...others, ...types.outputTypes].every(
    (type) => bytesOnGpu(type.shape) <= largest || sameShape(type.shape, shape),
  );
  return alike && node.outputs.length === 1 && rule?.fits(types) ? rule : undefined;
}

/** Whether it is computed although it is given, or gives, what is larger than a tensor may be. */
export const lowersByRowRanges = (work: NodeLowering, types: NodeTypes, largest: number): boolean =>
  ruleFor(work, types, largest) !== undefined && hasRuns(cutShape(types), largest);

/** Throws a `UserError` if the op has no rule for what it is given. */
export function loweredByRowRanges(
  work: NodeLowering,
  largest: number,
): (context: LoweringContext, inputs: readonly Handle[]) => readonly Handle[] {
  const isLarge = (shape: Shape): boolean => bytesOnGpu(shape) > largest;
  return (c, handles) => {
    const shape = cutShape(c);
    const rule = ruleFor(work, c, largest);
    if (rule === undefined) throw tooLargeForGpu(bytesOnGpu(shape), largest);
    const parts = rowRangesOfShape(shape, largest).map((range, at) =>
      rule.lower(c, range, (index) => partOf(c, argument(handles, index), index, range, at), work.lowering),
    );
    return [isLarge(argument(c.outputTypes, 0).shape) ? parts : [c.kernel('Concat', parts, { axis: 0 })]];
  };

  function partOf(c: LoweringContext, handle: Handle, index: number, range: RowRange, at: number): Tensor {
    const { shape } = argument(c.inputTypes, index);
    if (isLarge(shape)) return argument(handle, at);
    const x = argument(handle, 0);
    if (!hasRows(shape, cutShape(c))) return x;
    const begin = shape.map((_, axis) => (axis === 0 ? range.first : 0));
    return c.kernel('Slice', { x }, { begin, size: rangeShape(shape, range) });
  }
}
