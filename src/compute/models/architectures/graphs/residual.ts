/** How attention and MLP are joined to the stream of hidden states. */
import type { ValueId } from '../../../tensor/types.js';
import type { BlockBlueprint, Norm } from '../blueprint.js';
import { bottleneck } from './bottleneck.js';
import { type LayerContext, linear } from './linear.js';
import { feedForward } from './mlp.js';
import { normalise } from './norm.js';

interface BlockOutput {
  /** The block's result, `[n, hidden]`. */
  readonly y: ValueId;
  /** Expensive to recompute and small to save, by name; of the attention's part also what the MLP starts from. */
  readonly saved: Readonly<Record<'attention' | 'mlp', Readonly<Record<string, ValueId>>>>;
}

/** Parts of a block whose activations are saved or recomputed by themselves; `probabilities`: those of attention. */
export type BlockPart = 'probabilities' | 'attention' | 'mlp' | 'lows';

/** x `[n, hidden]` and what the attention gives for it, `[n, heads·dim]`, before its output projection. */
export function joinResiduals(
  context: LayerContext,
  { attention, mlp, residual }: BlockBlueprint,
  x: ValueId,
  attended: ValueId,
): BlockOutput {
  const { builder: b } = context;
  const behind = (norm: Norm | undefined, value: ValueId) =>
    norm === undefined ? value : normalise(context, norm, value);
  const met = bottleneck(context, 'attention', linear(context, attention.output, attended), x);
  const mixed = behind(attention.after, met.out);
  if (residual === 'parallel') {
    const fed = feedForward(context, mlp, normalise(context, mlp.norm, x));
    const { out, saved } = bottleneck(context, 'mlp', fed.out, x);
    return {
      y: b.add(b.add(behind(mlp.after, out), mixed), x),
      saved: { attention: met.saved, mlp: { ...fed.saved, ...saved } },
    };
  }
  const middle = b.add(x, mixed);
  const fed = feedForward(context, mlp, normalise(context, mlp.norm, middle));
  const { out, saved } = bottleneck(context, 'mlp', fed.out, middle);
  return {
    y: b.add(middle, behind(mlp.after, out)),
    saved: { attention: { ...met.saved, middle }, mlp: { ...fed.saved, ...saved } },
  };
}
