/** A linear layer with an optional branch of an adapter, as PEFT computes it. */
import type { GraphBuilder } from '../../../tensor/builder.js';
import type { ValueId } from '../../../tensor/types.js';
import { type Branch, type Branches, downName, magnitudeName, upName } from '../../adapters/layout.js';
import type { Projection } from '../blueprint.js';
import { biasName, weightName, weightShape } from '../tensors.js';

export interface LayerContext {
  readonly builder: GraphBuilder;
  readonly branches: Branches;
  /** Share of a branch's inputs that masks set to zero, which are then graph inputs; 0 for none. */
  readonly dropout: number;
  /** Declares a weight of the block as an input; the same name gives the same value. */
  readonly weight: (name: string, shape: readonly number[]) => ValueId;
}

/** x `[n, inputs]` → x·Wᵀ + bias `[n, outputs]`, and what the branch adds to it. */
export function linear(context: LayerContext, projection: Projection, x: ValueId): ValueId {
  const { builder: b, weight, branches } = context;
  const { module, outputs, transposed } = projection;
  const matrix = weight(weightName(projection), weightShape(projection));
  const product = b.matmul(x, matrix, { transB: !transposed });
  const base = projection.bias ? b.add(product, weight(biasName(projection), [outputs])) : product;
  const branch = branches[module];
  if (branch === undefined) return base;
  const added = branch.dora ? decomposed : lowRank;
  return b.add(base, added(context, { projection, branch, x, product, matrix }));
}

interface Adapted {
  readonly projection: Projection;
  readonly branch: Branch;
  readonly x: ValueId;
  /** x·Wᵀ */
  readonly product: ValueId;
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

/** LoRA (Hu et al. 2021, arXiv 2106.09685): scale·dropout(x)·Aᵀ·Bᵀ. */
function lowRank(context: LayerContext, adapted: Adapted): ValueId {
  const { builder: b, dropout } = context;
  const [down, up] = factors(context, adapted);
  const dropped = dropout > 0 ? masked(context, adapted) : adapted.x;
  // inverted dropout divides by the kept share; the division rides on the product
  const low = b.matmul(dropped, down, { transB: true, alpha: 1 / (1 - dropout) });
  return b.matmul(low, up, { transB: true, alpha: adapted.branch.scale });
}

/**
 * DoRA (Liu et al. 2024, arXiv 2402.09353): with g = m/‖W + scale·B·A‖ over each row, whose norm carries no gradient,
 * (g − 1)·x·Wᵀ + g·scale·x·Aᵀ·Bᵀ. Dropout is before both products.
 */
function decomposed(context: LayerContext, adapted: Adapted): ValueId {
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
