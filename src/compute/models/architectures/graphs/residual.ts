/** How attention and MLP are joined to the stream of hidden states. */
import type { ValueId } from '../../../tensor/types.js';
import type { BlockBlueprint, Norm } from '../blueprint.js';
import { bottleneck } from './bottleneck.js';
import { type LayerContext, linear } from './linear.js';
import { feedForward } from './mlp.js';
import { normalise } from './norm.js';

export interface Joined {
  /** The block's result, `[n, hidden]`. */
  readonly y: ValueId;
  /** Dear to recompute and small to keep, by name; of the attention's part also what the MLP starts from. */
  readonly kept: Readonly<Record<'attention' | 'mlp', Readonly<Record<string, ValueId>>>>;
}

/** Parts of a block that are recomputed by themselves; the shares are what each position takes of the others' values. */
export type BlockPart = 'shares' | 'attention' | 'mlp' | 'lows';

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
  const met = bottleneck(context, 'attention', linear(context, attention.output, attended), x);
  const mixed = behind(attention.after, met.out);
  if (residual === 'parallel') {
    const fed = feedForward(context, mlp, normalise(context, mlp.norm, x));
    const { out, kept } = bottleneck(context, 'mlp', fed.out, x);
    return {
      y: b.add(b.add(behind(mlp.after, out), mixed), x),
      kept: { attention: met.kept, mlp: { ...fed.kept, ...kept } },
    };
  }
  const middle = b.add(x, mixed);
  const fed = feedForward(context, mlp, normalise(context, mlp.norm, middle));
  const { out, kept } = bottleneck(context, 'mlp', fed.out, middle);
  return {
    y: b.add(middle, behind(mlp.after, out)),
    kept: { attention: { ...met.kept, middle }, mlp: { ...fed.kept, ...kept } },
  };
}
