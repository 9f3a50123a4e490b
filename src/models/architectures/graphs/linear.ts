/** A linear layer with an optional LoRA branch (Hu et al. 2021, arXiv 2106.09685), as PEFT computes it. */
import type { GraphBuilder } from '../../../tensor/builder.js';
import type { ValueId } from '../../../tensor/types.js';
import type { LoraConfig } from '../../types.js';
import type { NamedShape, Projection } from '../blueprint.js';
import { biasName, weightName, weightShape } from '../tensors.js';

const downName = ({ module }: Projection): string => `${module}.lora_A.weight`;
const upName = ({ module }: Projection): string => `${module}.lora_B.weight`;

export const isTarget = (lora: LoraConfig | undefined, { target }: Projection): boolean =>
  lora?.targets.includes(target) ?? false;

/** Adapter tensors of a projection: A `[rank, inputs]`, B `[outputs, rank]`. */
export const loraShapes = (lora: LoraConfig, projection: Projection): readonly NamedShape[] => [
  { name: downName(projection), shape: [lora.rank, projection.inputs] },
  { name: upName(projection), shape: [projection.outputs, lora.rank] },
];

export interface LayerContext {
  readonly builder: GraphBuilder;
  readonly lora: LoraConfig | undefined;
  readonly dropout: boolean;
  /** Declares a weight of the block as an input; the same name gives the same value. */
  readonly weight: (name: string, shape: readonly number[]) => ValueId;
}

/** x `[n, inputs]` → x·Wᵀ + bias + (α/rank)·dropout(x)·Aᵀ·Bᵀ `[n, outputs]`. */
export function linear(context: LayerContext, projection: Projection, x: ValueId): ValueId {
  const { builder: b, lora, weight } = context;
  const { outputs, inputs, transposed } = projection;
  const product = b.matmul(x, weight(weightName(projection), weightShape(projection)), {
    transB: !transposed,
  });
  const base = projection.bias ? b.add(product, weight(biasName(projection), [outputs])) : product;
  if (lora === undefined || !isTarget(lora, projection)) return base;
  const [down, up] = [
    weight(downName(projection), [lora.rank, inputs]),
    weight(upName(projection), [outputs, lora.rank]),
  ];
  const dropped = context.dropout
    ? b.mul(x, b.cast(b.input(`dropout.${projection.module}`, b.shapeOf(x), 'bool'), 'f32'))
    : x;
  // inverted dropout divides by the kept share; the division rides on the product
  const alpha = context.dropout ? 1 / (1 - lora.dropout) : 1;
  const low = b.matmul(dropped, down, { transB: true, alpha });
  return b.add(base, b.matmul(low, up, { transB: true, alpha: lora.alpha / lora.rank }));
}
