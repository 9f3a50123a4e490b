/** How attention and MLP are joined to the stream of hidden states. */
import type { ValueId } from '../../../tensor/types.js';
import { BOTTLENECK_MODULES, bottleneckModule } from '../../adapters/bottleneck.js';
import type { BottleneckPlace } from '../../adapters/config.js';
import type { Bottleneck } from '../../adapters/definition.js';
import type { BlockBlueprint, Mlp, Norm } from '../blueprint.js';
import { activate, normalise } from './elementwise.js';
import { type LayerContext, linear, linears } from './linear.js';

interface PartValues {
  /** What the part of a block adds to the residual stream, before any norm after it, `[n, hidden]`. */
  readonly out: ValueId;
  /** Expensive to recompute and small to save, by name. */
  readonly saved: Readonly<Record<string, ValueId>>;
}

/**
 * A bottleneck adapter, as AdapterHub's `adapters` computes it: out `[n, hidden]` is what the part gives, and stream
 * `[n, hidden]` the hidden states that it read and is added to.
 */
function bottleneck(
  context: LayerContext,
  place: BottleneckPlace,
  out: ValueId,
  stream: ValueId,
): PartValues {
  const adapter = context.bottlenecks[place];
  if (adapter === undefined) return { out, saved: {} };
  const { builder: b } = context;
  const read: Readonly<Record<Bottleneck['reads'], () => ValueId>> = {
    output: () => out,
    sum: () => b.add(stream, out),
    stream: () => stream,
  };
  const x = read[adapter.reads]();
  return { out: b.add(out, network(context, place, adapter, x)), saved: { [BOTTLENECK_MODULES[place]]: x } };
}

/** scale·dropout(f(x·Dᵀ + d)·Uᵀ + u) */
function network(
  { builder: b, weight, dropout }: LayerContext,
  place: BottleneckPlace,
  { size, activation, scale }: Bottleneck,
  x: ValueId,
): ValueId {
  const module = bottleneckModule(place);
  const [, hidden = 0] = b.shapeOf(x);
  const down = weight(`${module}.adapter_down.0.weight`, [size, hidden]);
  const up = weight(`${module}.adapter_up.weight`, [hidden, size]);
  const low = b.add(b.matmul(x, down, { transB: true }), weight(`${module}.adapter_down.0.bias`, [size]));
  const inner = activate(b, activation, low);
  const high = b.add(b.matmul(inner, up, { transB: true }), weight(`${module}.adapter_up.bias`, [hidden]));
  const kept =
    dropout === 0
      ? high
      : b.mul(high, b.cast(b.input(`dropout.${BOTTLENECK_MODULES[place]}`, b.shapeOf(high), 'bool'), 'f32'));
  const factor = scale / (1 - dropout);
  return factor === 1 ? kept : b.mul(kept, b.scalar(factor));
}

/** x `[n, hidden]`, normalised already. */
function feedForward(context: LayerContext, { up, down, activation }: Mlp, x: ValueId): PartValues {
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

/** Parts of a block whose activations are saved or recomputed by themselves; `probabilities`: those of attention. */
export type BlockPart = 'probabilities' | 'attention' | 'mlp' | 'lows';

/**
 * x `[n, hidden]` and what the attention gives for it, `[n, heads·dim]`, before its output projection → the block's result y
 * `[n, hidden]`, and what is saved of each part: of the attention's also what the MLP starts from.
 */
export function joinResiduals(
  context: LayerContext,
  { attention, mlp, residual }: BlockBlueprint,
  x: ValueId,
  attended: ValueId,
): { readonly y: ValueId; readonly saved: Readonly<Record<'attention' | 'mlp', PartValues['saved']>> } {
  const { builder: b } = context;
  const normed = (norm: Norm | undefined, value: ValueId) =>
    norm === undefined ? value : normalise(context, norm, value);
  const met = bottleneck(context, 'attention', linear(context, attention.output, attended), x);
  const mixed = normed(attention.after, met.out);
  const middle = residual === 'parallel' ? x : b.add(x, mixed);
  const fed = feedForward(context, mlp, normalise(context, mlp.norm, middle));
  const { out, saved } = bottleneck(context, 'mlp', fed.out, middle);
  const own = normed(mlp.after, out);
  const ofMlp = { ...fed.saved, ...saved };
  return residual === 'parallel'
    ? { y: b.add(b.add(own, mixed), x), saved: { attention: met.saved, mlp: ofMlp } }
    : { y: b.add(middle, own), saved: { attention: { ...met.saved, middle }, mlp: ofMlp } };
}
