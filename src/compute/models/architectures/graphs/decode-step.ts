import { GraphBuilder } from '../../../tensor/builder.js';
import type { Graph, ValueId } from '../../../tensor/types.js';
import type { LayerKind } from '../../adapters/kinds.js';
import type { ModelConfig } from '../../types.js';
import { attendCached, queriesKeysValues } from './attention.js';
import { normalise } from './elementwise.js';
import { blockInputs } from './inputs.js';
import { joinResiduals } from './residual.js';

export interface DecodeStepOptions {
  readonly config: ModelConfig;
  readonly kind: LayerKind;
  readonly rows: number;
  /** Positions that the cache has room for. */
  readonly capacity: number;
  /** The graph gives the caches with the new token in them; left out, its keys and values alone. */
  readonly appends?: boolean;
}

/**
 * One new token per row over a cache. Inputs: `x` `[rows, hidden]`, `cos` and `sin` `[rows, 1, dims/2]` where the block has
 * rotary embeddings, `keys` and `values` `[rows·keyValueHeads, capacity, dim]`, `mask` `[rows, 1, 1, capacity]`, weights.
 * Outputs: `y`, and the new `key` and `value` `[rows·keyValueHeads, 1, dim]`. One that appends has an input `slots`
 * `[rows, 1, 1, 1]` too, the place of each row's token, and gives `keys` and `values` instead.
 */
export function decodeStepGraph({ config, kind, rows, capacity, appends }: DecodeStepOptions): Graph {
  const { block, branches, bottlenecks } = kind;
  const { rotary } = block.attention;
  const b = new GraphBuilder('step');
  const { weight } = blockInputs(b);
  const x = b.input('x', [rows, config.hiddenSize]);
  const turns = [rows, 1, (rotary?.dims ?? 0) / 2];
  const angles = rotary && { cos: b.input('cos', turns), sin: b.input('sin', turns) };
  const cache = [rows * config.keyValueHeads, capacity, config.headDim];
  const past = {
    keys: b.input('keys', cache),
    values: b.input('values', cache),
    mask: b.input('mask', [rows, 1, 1, capacity]),
  };
  const adapters = { branches, bottlenecks, dropout: 0 };
  const layer = { builder: b, ...adapters, weight, config, attention: block.attention, angles };
  const met = queriesKeysValues(layer, normalise(layer, block.attention.norm, x), { rows, length: 1 });
  const { y } = joinResiduals(layer, block, x, attendCached(layer, met, past, rows));
  if (appends) {
    const appended = appender(b, { rows, capacity, config });
    b.output('keys', appended(past.keys, met.keys));
    b.output('values', appended(past.values, met.values));
  } else {
    b.output('key', met.keys);
    b.output('value', met.values);
  }
  b.output('y', y);
  return b.build();
}

/** A cache with one token more in each row. */
function appender(
  b: GraphBuilder,
  { rows, capacity, config }: Pick<DecodeStepOptions, 'rows' | 'capacity' | 'config'>,
): (cache: ValueId, own: ValueId) => ValueId {
  const { keyValueHeads: groups, headDim: dim } = config;
  const places = b.constant(
    Float32Array.from({ length: capacity }, (_, place) => place),
    [1, 1, capacity, 1],
  );
  const isNew = b.equal(places, b.input('slots', [rows, 1, 1, 1]));
  return (cache, own) =>
    b.reshape(
      b.where(isNew, b.reshape(own, [rows, groups, 1, dim]), b.reshape(cache, [rows, groups, capacity, dim])),
      [rows * groups, capacity, dim],
    );
}
