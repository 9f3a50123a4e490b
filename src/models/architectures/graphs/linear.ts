/** A linear layer with an optional branch of an adapter, as PEFT computes it. */
import type { GraphBuilder } from '../../../tensor/builder.js';
import type { ValueId } from '../../../tensor/types.js';
import type { Bottlenecks } from '../../adapters/bottleneck.js';
import {
  type Branch,
  type Branches,
  downName,
  firstDownName,
  firstUpName,
  magnitudeName,
  upName,
} from '../../adapters/layout.js';
import type { Projection } from '../blueprint.js';
import { biasName, weightName, weightShape } from '../tensors.js';

export interface LayerContext {
  readonly builder: GraphBuilder;
  readonly branches: Branches;
  readonly bottlenecks: Bottlenecks;
  /** Share of an adapter's values that masks set to zero, which are then graph inputs; 0 for none. */
  readonly dropout: number;
  /** Whether branches may be merged into their matrices where that costs less. */
  readonly merges?: boolean;
  /** Declares a weight of the block as an input; the same name gives the same value. */
  readonly weight: (name: string, shape: readonly number[]) => ValueId;
}

/** x `[n, inputs]` → x·Wᵀ + bias `[n, outputs]`, and what the branch adds to it. */
export function linear(context: LayerContext, projection: Projection, x: ValueId): ValueId {
  const { builder: b, weight, branches } = context;
  const { module, outputs, transposed } = projection;
  const matrix = weight(weightName(projection), weightShape(projection));
  const biased = (y: ValueId) => (projection.bias ? b.add(y, weight(biasName(projection), [outputs])) : y);
  const branch = branches[module];
  const mayMerge = context.merges !== false && context.dropout === 0;
  if (branch !== undefined && !branch.dora && mayMerge && mergesForward(context, projection, x))
    return biased(merged(context, { projection, branch, x, matrix }));
  const product = b.matmul(x, matrix, { transB: !transposed });
  const base = biased(product);
  if (branch === undefined) return base;
  return b.add(
    base,
    branch.dora
      ? decomposed(context, { projection, branch, x, product, matrix })
      : lowRank(context, { projection, branch, x, matrix }),
  );
}

interface Adapted {
  readonly projection: Projection;
  readonly branch: Branch;
  readonly x: ValueId;
  readonly matrix: ValueId;
}

const factors = ({ weight }: LayerContext, { projection, branch }: Adapted) =>
  [
    weight(downName(projection.module), [branch.rank, projection.inputs]),
    weight(upName(projection.module), [projection.outputs, branch.rank]),
  ] as const;

/** Inputs that survive, not yet divided by their share. */
const masked = ({ builder: b }: LayerContext, { projection, x }: Adapted): ValueId =>
  b.mul(x, b.cast(b.input(`dropout.${projection.module}`, b.shapeOf(x), 'bool'), 'f32'));

/** LoRA (Hu et al. 2021, arXiv 2106.09685), beside the matrix: scale·dropout(x)·Aᵀ·Bᵀ. */
function lowRank(context: LayerContext, adapted: Adapted): ValueId {
  const { builder: b, dropout } = context;
  const [down, up] = factors(context, adapted);
  const dropped = dropout > 0 ? masked(context, adapted) : adapted.x;
  // inverted dropout divides by the kept share; the division rides on the product
  const low = b.matmul(dropped, down, { transB: true, alpha: 1 / (1 - dropout) });
  const added = b.matmul(low, up, { transB: true, alpha: adapted.branch.scale });
  return adapted.branch.residual ? b.sub(added, firstProduct(context, adapted)) : added;
}

/** What the weights are held less of in PiSSA (Meng et al. 2024, arXiv 2404.02948): the product that training began with. */
function firstProduct({ builder: b, weight }: LayerContext, { projection, branch, x }: Adapted): ValueId {
  const down = weight(firstDownName(projection.module), [branch.rank, projection.inputs]);
  const up = weight(firstUpName(projection.module), [projection.outputs, branch.rank]);
  return b.matmul(b.matmul(x, down, { transB: true }), up, { transB: true, alpha: branch.scale });
}

/**
 * What merging the branch into the matrix costs, in elements of a branch's result: both are bound by memory. Measured
 * at rank 16 on two cores; a branch's input counts less than its result.
 */
const MERGING = 1.1;
const READING = 0.4;
/** Rows below which nothing is gained: the sum is rounded once more for the whole matrix. */
const FEWEST = 256;

const rowsOf = ({ builder }: LayerContext, x: ValueId): number => builder.shapeOf(x)[0] ?? 0;

/** Whether a merge for this many rows costs less than what the branch adds to each of them. */
function mergesForward(context: LayerContext, { inputs, outputs }: Projection, x: ValueId): boolean {
  const rows = rowsOf(context, x);
  return rows >= FEWEST && rows * (outputs + READING * inputs) >= MERGING * inputs * outputs;
}

/** The same of the gradient of x. */
const mergesBackward = (context: LayerContext, { outputs }: Projection, x: ValueId): boolean =>
  rowsOf(context, x) >= MERGING * outputs;

/** LoRA without dropout: x·(W + scale·B·A)ᵀ. */
function merged(context: LayerContext, adapted: Adapted): ValueId {
  const { builder: b } = context;
  const { projection, branch, x, matrix } = adapted;
  const [down, up] = factors(context, adapted);
  const { scale } = branch;
  const update = projection.transposed
    ? b.matmul(down, up, { transA: true, transB: true, alpha: scale })
    : b.matmul(up, down, { alpha: scale });
  const whole = b.add(matrix, update);
  return b.adapted(
    { x, merged: whole, plain: matrix, down, up },
    { transB: !projection.transposed, scale, mergedBack: mergesBackward(context, projection, x) },
  );
}

/**
 * DoRA (Liu et al. 2024, arXiv 2402.09353): with g = m/‖W + scale·B·A‖ over each row, whose norm carries no gradient,
 * (g − 1)·x·Wᵀ + g·scale·x·Aᵀ·Bᵀ. Dropout is before both products.
 */
function decomposed(context: LayerContext, adapted: Adapted & { readonly product: ValueId }): ValueId {
  const { builder: b, weight, dropout } = context;
  const { projection, branch, matrix } = adapted;
  const [down, up] = factors(context, adapted);
  const magnitude = weight(magnitudeName(projection.module), [projection.outputs]);
  const update = projection.transposed
    ? b.matmul(down, up, { transA: true, transB: true, alpha: branch.scale })
    : b.matmul(up, down, { alpha: branch.scale });
  const whole = b.add(matrix, update);
  const norm = b.sqrt(b.sum(b.mul(whole, whole), [projection.transposed ? 0 : 1]));
  const gain = b.div(magnitude, b.detach(norm));
  const x = dropout > 0 ? b.mul(masked(context, adapted), b.scalar(1 / (1 - dropout))) : adapted.x;
  const product = dropout > 0 ? b.matmul(x, matrix, { transB: !projection.transposed }) : adapted.product;
  const low = b.matmul(b.matmul(x, down, { transB: true }), up, { transB: true, alpha: branch.scale });
  return b.add(b.mul(product, b.sub(gain, b.scalar(1))), b.mul(low, gain));
}
