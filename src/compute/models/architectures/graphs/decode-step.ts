import { GraphBuilder } from '../../../tensor/builder.js';
import type { Graph, ValueId } from '../../../tensor/types.js';
import type { LayerKind } from '../../adapters/kinds.js';
import type { ModelConfig } from '../../types.js';
import type { Blueprint } from '../blueprint.js';
import { attendCached, queriesKeysValues } from './attention.js';
import { normalise } from './elementwise.js';
import { type HeadFactors, headLogits } from './head.js';
import { type BlockInputs, blockInputs } from './inputs.js';
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
 * rotary embeddings, `keys` and `values` `[rows, keyValueHeads, capacity, dim]`, `mask` `[rows, 1, 1, capacity]`, weights.
 * Outputs: `y`, and the new `key` and `value` `[rows·keyValueHeads, 1, dim]`. One that appends has an input `slots`
 * `[rows, 1, 1, 1]` too, the place of each row's token, and gives `keys` and `values` instead.
 */
export function decodeStepGraph({ config, kind, rows, capacity, appends }: DecodeStepOptions): Graph {
  const b = new GraphBuilder('step');
  const { weight } = blockInputs(b);
  const x = b.input('x', [rows, config.hiddenSize]);
  const { y, met, past } = decodeLayer(b, weight, { config, kind, rows, capacity }, x);
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

/** One block of a step; `input` declares what it reads besides x, by the names above. */
function decodeLayer(
  b: GraphBuilder,
  input: BlockInputs['weight'],
  { config, kind, rows, capacity }: Omit<DecodeStepOptions, 'appends'>,
  x: ValueId,
) {
  const { block, branches, bottlenecks } = kind;
  const { rotary } = block.attention;
  const turns = [rows, 1, (rotary?.dims ?? 0) / 2];
  const angles = rotary && { cos: input('cos', turns), sin: input('sin', turns) };
  const cache = [rows, config.keyValueHeads, capacity, config.headDim];
  const past = {
    keys: input('keys', cache),
    values: input('values', cache),
    mask: input('mask', [rows, 1, 1, capacity]),
  };
  const adapters = { branches, bottlenecks, dropout: 0, staysApart: true };
  const layer = { builder: b, ...adapters, weight: input, config, attention: block.attention, angles };
  const met = queriesKeysValues(layer, normalise(layer, block.attention.norm, x), { rows, length: 1 });
  const { y } = joinResiduals(layer, block, x, attendCached(layer, met, past, rows));
  return { y, met, past };
}

export interface DecodeStackOptions {
  readonly config: ModelConfig;
  /** Blocks that follow each other; `place`: which blocks have the same mask and angles. */
  readonly layers: readonly { readonly layer: number; readonly kind: LayerKind; readonly place: string }[];
  readonly rows: number;
  /** Positions that each cache has room for. */
  readonly capacity: number;
  /** The head after the last of them. */
  readonly head?: (Blueprint['head'] & { readonly factors?: HeadFactors | undefined }) | undefined;
}

/** Inputs that a step's blocks of one place share. */
const PLACED: ReadonlySet<string> = new Set(['cos', 'sin', 'mask']);

/**
 * One new token per row through several blocks: inputs as above, under `LAYER.NAME`, and `PLACE.NAME` for mask and angles; those
 * of the head are `head.NAME`. Outputs: `LAYER.key`, `LAYER.value`, and `y` `[rows, hidden]`, or `logits` `[rows, vocab]`.
 */
export function decodeStackGraph({ config, layers, rows, capacity, head }: DecodeStackOptions): Graph {
  const b = new GraphBuilder('stack');
  const { weight } = blockInputs(b);
  let x = b.input('x', [rows, config.hiddenSize]);
  for (const { layer, kind, place } of layers) {
    const input: BlockInputs['weight'] = (name, shape) =>
      weight(`${PLACED.has(name) ? place : layer}.${name}`, shape);
    const { y, met } = decodeLayer(b, input, { config, kind, rows, capacity }, x);
    b.output(`${layer}.key`, met.keys);
    b.output(`${layer}.value`, met.values);
    x = y;
  }
  if (head === undefined) b.output('y', x);
  else {
    const [vocabulary = 0] = head.output.shape;
    const named: BlockInputs['weight'] = (name, shape) => weight(`head.${name}`, shape);
    b.output('logits', headLogits(b, named, head, { x, vocabulary, factors: head.factors }));
  }
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
  return (cache, own) => b.where(isNew, b.reshape(own, [rows, groups, 1, dim]), cache);
}
