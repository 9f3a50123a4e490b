/** How attention and MLP are joined to the stream of hidden states. */
import type { ValueId } from '../../../tensor/types.js';
import type { BlockBlueprint, Norm } from '../blueprint.js';
import { type LayerContext, linear } from './linear.js';
import { feedForward } from './mlp.js';
import { normalise } from './norm.js';

export interface Joined {
  /** The block's result, `[n, hidden]`. */
  readonly y: ValueId;
  /** Dear to recompute and small to keep, by name. */
  readonly kept: Readonly<Record<string, ValueId>>;
}

/** x `[n, hidden]` and what the attention gives for it, `[n, heads·dim]`, before its output projection. */
export function joinResiduals(
  context: LayerContext,
  { attention, mlp, residual }: BlockBlueprint,
  x: ValueId,
  attended: ValueId,
): Joined {
  const { builder: b } = context;
  const behind = (norm: Norm | undefined, value: ValueId) =>
    norm === undefined ? value : normalise(context, norm, value);
  const mixed = behind(attention.after, linear(context, attention.output, attended));
  if (residual === 'parallel') {
    const fed = feedForward(context, mlp, normalise(context, mlp.norm, x));
    return { y: b.add(b.add(behind(mlp.after, fed.out), mixed), x), kept: fed.kept };
  }
  const middle = b.add(x, mixed);
  const fed = feedForward(context, mlp, normalise(context, mlp.norm, middle));
  return { y: b.add(middle, behind(mlp.after, fed.out)), kept: { middle, ...fed.kept } };
}
