/**
 * More tokens of texts over the keys and values of those before them: prompts are read piece by piece, or go on from
 * what was read.
 */
import type { Tensor, Tensors } from '../../tensor/types.js';
import { MASKED, maskShape } from '../architectures/graphs/attention.js';
import { type BlockBlueprint, blockOf } from '../architectures/index.js';
import type { HostCaches } from './caches.js';
import type { DecoderContext } from './context.js';
import { blockShape, evaluationBlock, shapeName } from './graphs.js';
import { floatTensor, type HostFloats, zeros } from './parameters.js';
import { Angles, causalMask } from './positions.js';
import { hiddenShape, outputsOf } from './stack.js';

const LENGTH_STEP = 16;

/** Tokens to which pieces of rows are padded: a multiple of a few, so that few graphs are compiled. */
export const paddedLength = (counts: readonly number[]): number =>
  Math.ceil(Math.max(...counts) / LENGTH_STEP) * LENGTH_STEP;

/** Where the tokens of a piece of each row are, for every kind of layer. */
interface Pieces {
  /** Tokens before those of each row. */
  readonly starts: Int32Array;
  /** Tokens of a row with padding. */
  readonly length: number;
  /** Positions of the cache. */
  readonly size: number;
}

/**
 * Hidden states `[rows·length, hidden]` of tokens of which the first of each row has the position `starts[row]`; their keys and
 * values enter the cache. What is after a row's tokens is padding.
 */
export async function extendStack(
  context: DecoderContext,
  caches: HostCaches,
  ids: readonly Int32Array[],
  starts: Int32Array,
): Promise<{ readonly hidden: Tensor; readonly length: number }> {
  const { buffers, compiled, graphs, options, weights } = context;
  const counts = ids.map((row) => row.length);
  const length = paddedLength(counts);
  const rows = ids.length;
  const shape = blockShape({ rows, length });
  const pieces = { starts, length, size: caches.size };
  const states = [0, 1].map((side) => buffers.floats(`hidden.${side}`, hiddenShape(context, shape)));
  let [x, y] = states as [Tensor, Tensor];
  context.parameters.publish();
  await weights.embedding.write(padded(ids, length), (index) => positionOf(index, counts, pieces), x);
  const positions = new Map<BlockBlueprint, Tensors>();
  for (let layer = 0; layer < options.config.layers; layer++) {
    const kind = context.kindOf(layer);
    const graph = await compiled.get(`extend ${kind.key} ${shapeName(shape)} after ${caches.size}`, () =>
      evaluationBlock(graphs, kind, shape, true, caches.size),
    );
    const block = blockOf(context.blueprint, layer);
    const placed = positions.get(block) ?? positionsOf(block, pieces);
    positions.set(block, placed);
    const past = caches.inputs(layer);
    const outputs = outputsOf(context, graph, (name) => (name === 'y' ? y : undefined), 'cache');
    await graph.run(
      {
        x,
        ...placed,
        ...(await weights.block(layer, graph.graph)),
        'prefix.keys': byLane(past.keys),
        'prefix.values': byLane(past.values),
      },
      outputs,
    );
    const [keys, values] = [
      await floatsOf(context, outputs['keys']),
      await floatsOf(context, outputs['values']),
    ];
    caches.extend(layer, { keys, values }, starts, counts);
    [x, y] = [y, x];
  }
  return { hidden: x, length };
}

/** Of each row and group, one after the other: `[rows·groups, size, dim]`. */
function byLane({ type, data }: HostFloats): HostFloats {
  const [rows = 0, groups = 0, ...lane] = type.shape;
  return floatTensor([rows * groups, ...lane], data);
}

function padded(ids: readonly Int32Array[], length: number): Int32Array {
  const whole = new Int32Array(ids.length * length);
  ids.forEach((row, at) => {
    whole.set(row, at * length);
  });
  return whole;
}

/** Padding has the last position of its row: a table of positions may have no further one. */
function positionOf(index: number, counts: readonly number[], { starts, length }: Pieces): number {
  const row = Math.floor(index / length);
  return (starts[row] ?? 0) + Math.min(index % length, (counts[row] ?? 1) - 1);
}

/** What lies on a device is read from there. */
const floatsOf = async ({ options }: DecoderContext, tensor: Tensor | undefined): Promise<Float32Array> =>
  tensor === undefined
    ? new Float32Array(0)
    : ((await options.runtime.memory.read(tensor)).data as Float32Array);

/** `mask` among the tokens of a piece, `prefix.mask` of those before them, and the angles of their positions. */
function positionsOf({ attention }: BlockBlueprint, { starts, length, size }: Pieces): Tensors {
  const { rotary, window } = attention;
  const seen = maskShape(length);
  const mask = zeros([1, 1, ...seen]);
  causalMask(seen, window, mask.data);
  const before = zeros([starts.length, 1, length, size]);
  before.data.fill(MASKED);
  for (const [row, start] of starts.entries())
    for (let token = 0; token < length; token++) {
      const first = window === undefined ? 0 : Math.max(0, start + token + 1 - window);
      const lane = (row * length + token) * size;
      if (first < start) before.data.fill(0, lane + first, lane + start);
    }
  const placed = { mask, 'prefix.mask': before };
  if (rotary === undefined) return placed;
  const half = rotary.dims / 2;
  const [cos, sin] = [zeros([starts.length, length, half]), zeros([starts.length, length, half])];
  const angles = new Angles(rotary);
  for (const [row, start] of starts.entries()) {
    const own = ({ data }: HostFloats) => data.subarray(row * length * half, (row + 1) * length * half);
    angles.fill([start + length], length, own(cos), own(sin), start);
  }
  return { ...placed, cos, sin };
}
