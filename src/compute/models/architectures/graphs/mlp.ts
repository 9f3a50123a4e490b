import type { ValueId } from '../../../tensor/types.js';
import type { Mlp } from '../blueprint.js';
import { activate } from './activation.js';
import { type LayerContext, linear, linears } from './linear.js';

interface MlpValues {
  /** What the block adds to its residual, before any norm after it, `[n, hidden]`. */
  readonly out: ValueId;
  /** Expensive to recompute and small to save, by name. */
  readonly saved: Readonly<Record<string, ValueId>>;
}

/** x `[n, hidden]`, normalised already. */
export function feedForward(context: LayerContext, { up, down, activation }: Mlp, x: ValueId): MlpValues {
  const { builder: b } = context;
  if (up.kind === 'plain') {
    const inner = linear(context, up.up, x);
    return { out: linear(context, down, activate(b, activation, inner)), saved: { up: inner } };
  }
  const [gate, value] = (
    up.kind === 'gated' ? linears(context, [up.gate, up.up], x) : b.split(linear(context, up.both, x), 2, -1)
  ) as readonly [ValueId, ValueId];
  const inner = b.mul(activate(b, activation, gate), value);
  return { out: linear(context, down, inner), saved: { gate, up: value } };
}
