/** A bottleneck adapter in a block, as AdapterHub's `adapters` computes it. */
import type { ValueId } from '../../../tensor/types.js';
import { BOTTLENECK_MODULES, bottleneckModule } from '../../adapters/bottleneck.js';
import type { BottleneckPlace } from '../../adapters/config.js';
import type { Bottleneck } from '../../adapters/definition.js';
import { activate } from './activation.js';
import type { LayerContext } from './linear.js';

interface BottleneckValues {
  /** What the part gives and what the adapter adds to it, `[n, hidden]`, before any norm after them. */
  readonly out: ValueId;
  /** What the adapter reads, by name: expensive to recompute. */
  readonly saved: Readonly<Record<string, ValueId>>;
}

/** out `[n, hidden]` is what the part gives, and stream `[n, hidden]` the hidden states that it read and is added to. */
export function bottleneck(
  context: LayerContext,
  place: BottleneckPlace,
  out: ValueId,
  stream: ValueId,
): BottleneckValues {
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
