/** Declares the tensors of a block as graph inputs, each when it is first used. */
import { gradients } from '../../../tensor/autodiff.js';
import type { GraphBuilder } from '../../../tensor/builder.js';
import type { ValueId } from '../../../tensor/types.js';

export interface BlockInputs {
  readonly weight: (name: string, shape: readonly number[]) => ValueId;
  readonly declared: ReadonlyMap<string, ValueId>;
}

export function blockInputs(builder: GraphBuilder): BlockInputs {
  const declared = new Map<string, ValueId>();
  return {
    declared,
    weight(name, shape) {
      const value = declared.get(name) ?? builder.input(name, shape);
      declared.set(name, value);
      return value;
    },
  };
}

/**
 * The gradients of trained tensors, by way of one value's: adds `total.NAME` + gradient as the output `grad.NAME`, so that
 * micro batches add up in place, and `dx`, the gradient of x, if there is an x.
 */
export function addGradients(
  b: GraphBuilder,
  by: { readonly value: ValueId; readonly gradient: ValueId },
  trained: readonly (readonly [name: string, value: ValueId])[],
  x?: ValueId,
): void {
  const inputs = trained.map(([, value]) => value);
  const found = gradients(b, [by], x === undefined ? inputs : [...inputs, x]);
  trained.forEach(([name], index) => {
    const gradient = found[index];
    if (gradient === undefined) return;
    b.output(`grad.${name}`, b.add(b.input(`total.${name}`, b.shapeOf(gradient)), gradient));
  });
  const dx = found[trained.length];
  if (dx !== undefined) b.output('dx', dx);
}
