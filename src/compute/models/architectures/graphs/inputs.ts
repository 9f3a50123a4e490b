/** Declares the tensors of a block as graph inputs, each when it is first used. */
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

/** Adds `total.NAME` + gradient as the output `grad.NAME`, so that micro batches add up in place. */
export function accumulated(builder: GraphBuilder, name: string, gradient: ValueId): void {
  const total = builder.input(`total.${name}`, builder.shapeOf(gradient));
  builder.output(`grad.${name}`, builder.add(total, gradient));
}
