/** More tokens of a text over the keys and values of those before them: a prompt is read piece by piece, or goes on from one that was read. */
import { onHost } from '../../tensor/memory.js';
import type { Tensor, Tensors } from '../../tensor/types.js';
import { MASKED, maskShape } from '../architectures/graphs/attention.js';
import { type BlockBlueprint, blockOf } from '../architectures/index.js';
import type { HostCaches } from './caches.js';
import type { DecoderContext } from './context.js';
import { blockShape, evaluationBlock } from './graphs.js';
import { zeros } from './parameters.js';
import { Angles, causalMask } from './positions.js';
import { hiddenShape, outputsOf } from './stack.js';

/** Tokens to which pieces are padded, doubled until they fit, so that few graphs are compiled. */
const SMALLEST_PIECE = 16;

/** Where the tokens of a piece are, for every kind of layer. */
interface Piece {
  /** Tokens before it. */
  readonly start: number;
  /** Tokens with padding. */
  readonly length: number;
  /** Positions of the cache. */
  readonly size: number;
}

/**
 * Hidden states `[length, hidden]` of tokens whose first has the position `start`; their keys and values enter the cache.
 * What is after `ids.length` is padding.
 */
export async function extendStack(
  context: DecoderContext,
  caches: HostCaches,
  ids: Int32Array,
  start: number,
): Promise<Tensor> {
  const { buffers, compiled, graphs, options, weights } = context;
  let length = SMALLEST_PIECE;
  while (length < ids.length) length *= 2;
  const shape = blockShape({ rows: 1, length });
  const piece = { start, length, size: caches.size };
  const states = [0, 1].map((side) => buffers.floats(`hidden.${side}`, hiddenShape(context, shape)));
  let [x, y] = states as [Tensor, Tensor];
  const padded = new Int32Array(length);
  padded.set(ids);
  context.parameters.publish();
  // padding has the last position: a table of positions may have no further one
  await weights.embedding.write(padded, (index) => start + Math.min(index, ids.length - 1), x);
  const positions = new Map<BlockBlueprint, Tensors>();
  for (let layer = 0; layer < options.config.layers; layer++) {
    const kind = context.kindOf(layer);
    const graph = await compiled.get(`extend ${kind.key} ${length} after ${piece.size}`, () =>
      evaluationBlock(graphs, kind, shape, true, piece.size),
    );
    const block = blockOf(context.blueprint, layer);
    const placed = positions.get(block) ?? positionsOf(block, piece);
    positions.set(block, placed);
    const past = caches.inputs(layer);
    const outputs = outputsOf(context, graph, (name) => (name === 'y' ? y : undefined), 'cache');
    await graph.run(
      { x, ...placed, ...weights.block(layer), 'prefix.keys': past.keys, 'prefix.values': past.values },
      outputs,
    );
    const [keys, values] = [floatsOf(outputs, 'keys'), floatsOf(outputs, 'values')];
    caches.put(layer, { keys, values }, start, ids.length);
    [x, y] = [y, x];
  }
  return x;
}

const floatsOf = (tensors: Readonly<Record<string, Tensor>>, name: string): Float32Array => {
  const tensor = tensors[name];
  return tensor === undefined ? new Float32Array(0) : (onHost(tensor).data as Float32Array);
};

/** `mask` among the tokens of the piece, `prefix.mask` of those before them, and the angles of its positions. */
function positionsOf({ attention }: BlockBlueprint, { start, length, size }: Piece): Tensors {
  const { rotary, window } = attention;
  const seen = maskShape(length);
  const mask = zeros([1, 1, ...seen]);
  causalMask(seen, window, mask.data);
  const before = zeros([1, 1, length, size]);
  before.data.fill(MASKED);
  for (let token = 0; token < length; token++) {
    const first = window === undefined ? 0 : Math.max(0, start + token + 1 - window);
    if (first < start) before.data.fill(0, token * size + first, token * size + start);
  }
  const placed = { mask, 'prefix.mask': before };
  if (rotary === undefined) return placed;
  const half = rotary.dims / 2;
  const [cos, sin] = [zeros([1, length, half]), zeros([1, length, half])];
  new Angles(rotary).fill([start + length], length, cos.data, sin.data, start);
  return { ...placed, cos, sin };
}
