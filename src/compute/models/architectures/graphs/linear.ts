/** A linear layer with an optional branch of an adapter, as PEFT computes it. */
import type { GraphBuilder } from '../../../tensor/builder.js';
import type { ValueId } from '../../../tensor/types.js';
import { downName, firstDownName, firstUpName, magnitudeName, upName } from '../../adapters/branches.js';
import type { BlockAdapters, Branch } from '../../adapters/definition.js';
import type { Projection } from '../blueprint.js';
import { biasName, weightName, weightShape } from '../index.js';

export interface LayerContext extends BlockAdapters {
  readonly builder: GraphBuilder;
  /** Fraction of an adapter's values that masks set to zero, which are then graph inputs; 0 for none. */
  readonly dropout: number;
  /** Branches stay next to their matrices, however many rows x has. */
  readonly staysApart?: boolean;
  /** Takes the products of x with low ranks, `[n, sum of ranks]`: small, and read by both passes. */
  readonly lows?: ValueId[];
  /** Declares a weight of the block as an input; the same name gives the same value. */
  readonly weight: (name: string, shape: readonly number[]) => ValueId;
}

/** x `[n, inputs]` → x·Wᵀ + bias `[n, outputs]`, and what the branch adds to it. */
export const linear = (context: LayerContext, projection: Projection, x: ValueId): ValueId =>
  layer(context, projection, x, lowRanks(context, [projection], x).get(projection));

/** {@link linear} of projections that read the same x, in their order. */
export function linears(
  context: LayerContext,
  projections: readonly Projection[],
  x: ValueId,
): readonly ValueId[] {
  const lows = lowRanks(context, projections, x);
  return projections.map((projection) => layer(context, projection, x, lows.get(projection)));
}

/** `low` is x·Aᵀ `[n, rank]` if that is computed already. */
function layer(context: LayerContext, projection: Projection, x: ValueId, low: ValueId | undefined): ValueId {
  const { builder: b, weight, branches } = context;
  const { module, outputs, transposed } = projection;
  const matrix = weight(weightName(projection), weightShape(projection));
  const biased = (y: ValueId) => (projection.bias ? b.add(y, weight(biasName(projection), [outputs])) : y);
  const branch = branches[module];
  if (branch !== undefined && mergesForward(context, projection, branch, x))
    return biased(merged(context, { projection, branch, x, matrix }));
  const product = b.matmul(x, matrix, { transB: !transposed });
  const base = biased(product);
  if (branch === undefined) return base;
  const adapted = { projection, branch, x, matrix, low };
  return b.add(base, branch.dora ? decomposed(context, { ...adapted, product }) : lowRank(context, adapted));
}

/**
 * x·Aᵀ of each branch that is not merged: one product for all layers that read this x, and one for each of its
 * gradients. Few rows would not repay that the matrices are put together, and dropout gives each layer an x of its own.
 */
function lowRanks(
  context: LayerContext,
  projections: readonly Projection[],
  x: ValueId,
): ReadonlyMap<Projection, ValueId> {
  const { builder: b, branches, dropout } = context;
  if (dropout > 0 || rowsOf(context, x) < FEWEST) return new Map();
  const apart = projections.flatMap((projection) => {
    const branch = branches[projection.module];
    return branch === undefined || mergesForward(context, projection, branch, x)
      ? []
      : [{ projection, branch }];
  });
  const downs = apart.map(({ projection, branch }) => downOf(context, projection, branch));
  const [only] = downs;
  if (only === undefined) return new Map();
  const low = b.matmul(x, downs.length === 1 ? only : b.concat(downs, 0), { transB: true });
  context.lows?.push(low);
  let end = 0;
  return new Map(
    apart.map(({ projection, branch: { rank } }) => {
      end += rank;
      return [projection, downs.length === 1 ? low : b.slice(low, 1, end - rank, end)];
    }),
  );
}

interface AdaptedLayer {
  readonly projection: Projection;
  readonly branch: Branch;
  readonly x: ValueId;
  readonly matrix: ValueId;
  /** x·Aᵀ `[n, rank]`, where it is computed already. */
  readonly low?: ValueId | undefined;
}

const downOf = ({ weight }: LayerContext, { module, inputs }: Projection, { rank }: Branch): ValueId =>
  weight(downName(module), [rank, inputs]);

const upOf = ({ weight }: LayerContext, { module, outputs }: Projection, { rank }: Branch): ValueId =>
  weight(upName(module), [outputs, rank]);

/** A `[rank, inputs]`, B `[outputs, rank]`, and W + scale·B·A as W is stored. */
function updated(context: LayerContext, { projection, branch, matrix }: AdaptedLayer) {
  const { builder: b } = context;
  const [down, up] = [downOf(context, projection, branch), upOf(context, projection, branch)];
  const update = projection.transposed
    ? b.matmul(down, up, { transA: true, transB: true, alpha: branch.scale })
    : b.matmul(up, down, { alpha: branch.scale });
  return { down, up, whole: b.add(matrix, update) };
}

/** Inputs that survive, not yet divided by their fraction. */
const masked = ({ builder: b }: LayerContext, { projection, x }: AdaptedLayer): ValueId =>
  b.mul(x, b.cast(b.input(`dropout.${projection.module}`, b.shapeOf(x), 'bool'), 'f32'));

/** LoRA (Hu et al. 2021, arXiv 2106.09685), next to the matrix: scale·dropout(x)·Aᵀ·Bᵀ. */
function lowRank(context: LayerContext, adapted: AdaptedLayer): ValueId {
  const { builder: b, dropout } = context;
  const { projection, branch } = adapted;
  const [down, up] = [downOf(context, projection, branch), upOf(context, projection, branch)];
  const dropped = dropout > 0 ? masked(context, adapted) : adapted.x;
  // inverted dropout divides by the fraction that is kept; the division rides on the product
  const low = adapted.low ?? b.matmul(dropped, down, { transB: true, alpha: 1 / (1 - dropout) });
  const added = b.matmul(low, up, { transB: true, alpha: adapted.branch.scale });
  return adapted.branch.residual ? b.sub(added, firstProduct(context, adapted)) : added;
}

/** What the weights are held less of in PiSSA (Meng et al. 2024, arXiv 2404.02948): the product that training began with. */
function firstProduct(
  { builder: b, weight }: LayerContext,
  { projection, branch, x }: AdaptedLayer,
): ValueId {
  const down = weight(firstDownName(projection.module), [branch.rank, projection.inputs]);
  const up = weight(firstUpName(projection.module), [projection.outputs, branch.rank]);
  return b.matmul(b.matmul(x, down, { transB: true }), up, { transB: true, alpha: branch.scale });
}

/**
 * Rows from which the merge of a matrix costs less than the branch, as a multiple of its inputs forward and of its
 * outputs for the gradient of x: a merge passes through `inputs · outputs` values, what the branch adds through
 * `rows · outputs`, or `rows · inputs`. Measured at rank 16 on two cores.
 */
const MERGING = 1.2;
/** Rows below which nothing is gained: the sum is rounded once more for the whole matrix. */
const FEWEST = 256;

const rowsOf = ({ builder, staysApart }: LayerContext, x: ValueId): number =>
  staysApart ? 1 : (builder.shapeOf(x)[0] ?? 0);

/** Whether the branch is merged into its matrix: one that is no more than a product added to it. */
const mergesForward = (
  context: LayerContext,
  { inputs }: Projection,
  { dora, residual }: Branch,
  x: ValueId,
): boolean =>
  context.dropout === 0 && !dora && !residual && rowsOf(context, x) >= Math.max(FEWEST, MERGING * inputs);

/** LoRA without dropout: x·(W + scale·B·A)ᵀ. */
function merged(context: LayerContext, adapted: AdaptedLayer): ValueId {
  const { builder: b } = context;
  const { projection, branch, x, matrix } = adapted;
  const { down, up, whole } = updated(context, adapted);
  const mergedBack = rowsOf(context, x) >= MERGING * projection.outputs;
  return b.adapted(
    { x, merged: whole, plain: matrix, down, up },
    { transB: !projection.transposed, scale: branch.scale, mergedBack },
  );
}

/**
 * DoRA (Liu et al. 2024, arXiv 2402.09353): with g = m/‖W + scale·B·A‖ over each row, whose norm carries no gradient,
 * (g − 1)·x·Wᵀ + g·scale·x·Aᵀ·Bᵀ. Dropout is before both products.
 */
function decomposed(context: LayerContext, adapted: AdaptedLayer & { readonly product: ValueId }): ValueId {
  const { builder: b, weight, dropout } = context;
  const { projection, branch, matrix } = adapted;
  const { down, up, whole } = updated(context, adapted);
  const magnitude = weight(magnitudeName(projection.module), [projection.outputs]);
  const norm = b.sqrt(b.sum(b.mul(whole, whole), [projection.transposed ? 0 : 1]));
  const gain = b.div(magnitude, b.detach(norm));
  const x = dropout > 0 ? b.mul(masked(context, adapted), b.scalar(1 / (1 - dropout))) : adapted.x;
  const product = dropout > 0 ? b.matmul(x, matrix, { transB: !projection.transposed }) : adapted.product;
  const low = adapted.low ?? b.matmul(x, down, { transB: true });
  const added = b.matmul(low, up, { transB: true, alpha: branch.scale });
  return b.add(b.mul(product, b.sub(gain, b.scalar(1))), b.mul(added, gain));
}
