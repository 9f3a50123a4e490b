/**
 * The head over a vocabulary shard at a time, where neither its matrix nor the logits of the whole vocabulary are to be
 * in memory as float32 at once. A loss costs no more this way; a gradient computes every logit a second time.
 */
import type { HostTensor, Tensor } from '../../tensor/types.js';
import { type Chunk, chunksOf, cleared, positionsOf, SHARD_TOKENS, type VocabularyShard } from './chunks.js';
import type { DecoderContext } from './context.js';
import { lossRole, type ShardRole, vocabularyShardGraph } from './graphs.js';
import type { HostFloats } from './parameters.js';
import { type Seeds, type Supervision, seedsOf } from './supervision.js';

const graphFor = ({ compiled, graphs }: DecoderContext, tokens: number, shardSize: number, role: ShardRole) =>
  compiled.get(`head shard ${role} ${tokens}x${shardSize}`, () =>
    vocabularyShardGraph(graphs, { tokens, shardSize }, role),
  );

const chunksFor = (total: number, least?: number): readonly Chunk[] => chunksOf(total, SHARD_TOKENS, least);

/** Compiles what {@link shardedGradient} will run. */
export async function prepareShards(
  context: DecoderContext,
  count: number,
  shards: readonly VocabularyShard[],
): Promise<void> {
  const sizes = new Set(shards.map(({ size }) => size));
  for (const { size } of chunksFor(count))
    for (const shardSize of sizes)
      for (const role of [lossRole(context.options), 'gradient' as const])
        await graphFor(context, size, shardSize, role);
}

/** Labels of a chunk counted from the first token of a shard, and whether they are in it. */
function labelsIn(
  { host }: DecoderContext,
  labels: readonly number[],
  { size, start, count }: Chunk,
  shard: VocabularyShard,
): { readonly tensor: HostTensor; readonly isHere: (row: number) => boolean } {
  const tensor = host.tensor('head.labels', { dtype: 'i32', shape: [size] });
  const data = tensor.data as Int32Array;
  const isHere = (row: number): boolean => {
    const label = labels[start + row] ?? -1;
    return label >= shard.first && label < shard.first + shard.size;
  };
  for (let row = 0; row < count; row++)
    data[row] = isHere(row) ? (labels[start + row] ?? 0) - shard.first : 0;
  return { tensor: cleared(tensor, count), isHere };
}

/**
 * Loss of each supervised position, in nats, and the logarithm of Σ exp over all its logits in float64: the sums of the
 * shards are put together in float64. This is closer to the exact loss than a float32 sum over a large vocabulary, here
 * and in PyTorch, which loses its smallest terms: 1.9e-5 nats per token with the 262,144 tokens of Gemma 3, 5e-6 with
 * the 49,152 of SmolLM2. `smoothing`: share of the loss that is the mean over the vocabulary.
 */
export async function shardedLoss(
  context: DecoderContext,
  hidden: Tensor,
  { positions, labels }: Supervision,
  shards: readonly VocabularyShard[],
  smoothing = 0,
): Promise<{ readonly losses: Float32Array; readonly totals: Float64Array }> {
  const { host, options, rows, weights } = context;
  const role = smoothing > 0 ? 'smoothed' : 'loss';
  const share = smoothing / options.config.vocabSize;
  const totals = new Float64Array(positions.length).fill(-Number.MAX_VALUE);
  const expected = new Float64Array(positions.length);
  for (const [index, shard] of shards.entries()) {
    const tensors = weights.head(index);
    for (const chunk of chunksFor(positions.length)) {
      const graph = await graphFor(context, chunk.size, shard.size, role);
      const [label, most, sum, all] = ['label', 'most', 'sum', 'all'].map((name) =>
        host.floats(`head.${name}`, [chunk.size]),
      ) as [HostFloats, HostFloats, HostFloats, HostFloats];
      const x = await rows.take(hidden, positionsOf(positions, chunk), chunk.size);
      const { tensor, isHere } = labelsIn(context, labels, chunk, shard);
      await graph.run({ x, labels: tensor, ...tensors }, { label, most, sum, ...(smoothing > 0 && { all }) });
      for (let row = 0; row < chunk.count; row++) {
        const at = chunk.start + row;
        totals[at] = logOfSum(totals[at] ?? 0, (most.data[row] ?? 0) + Math.log(sum.data[row] ?? 0));
        const ofLabel = isHere(row) ? (1 - smoothing) * (label.data[row] ?? 0) : 0;
        const ofAll = smoothing > 0 ? share * (all.data[row] ?? 0) : 0;
        expected[at] = (expected[at] ?? 0) + ofLabel + ofAll;
      }
    }
  }
  return { losses: Float32Array.from(totals, (total, at) => total - (expected[at] ?? 0)), totals };
}

/** log(exp a + exp b) */
const logOfSum = (a: number, b: number): number =>
  a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));

/** Losses; writes their gradient, times their seeds, into `upstream`, where somebody needs it. */
export async function shardedGradient(
  context: DecoderContext,
  hidden: Tensor,
  supervision: Supervision,
  seeds: Seeds,
  upstream: Tensor | undefined,
  shards: readonly VocabularyShard[],
): Promise<Float32Array> {
  const { smoothing } = context.options;
  const { losses, totals } = await shardedLoss(context, hidden, supervision, shards, smoothing);
  if (upstream === undefined) return losses;
  const seedOf = seedsOf(seeds, losses);
  const { buffers, host, options, rows, weights } = context;
  let isFirst = true;
  // the last shard is still there
  for (const [index, shard] of [...shards.entries()].reverse()) {
    const tensors = weights.head(index);
    for (const chunk of chunksFor(losses.length)) {
      const { size, start, count } = chunk;
      const graph = await graphFor(context, size, shard.size, 'gradient');
      const positions = positionsOf(supervision.positions, chunk);
      const x = await rows.take(hidden, positions, size);
      const { tensor, isHere } = labelsIn(context, supervision.labels, chunk, shard);
      const filled = (name: string, of: (row: number) => number) => {
        const floats = host.floats(`head.${name}`, [size]);
        for (let row = 0; row < count; row++) floats.data[row] = of(row);
        return cleared(floats, count);
      };
      const dx = buffers.floats('head.dx', [size, options.config.hiddenSize]);
      await graph.run(
        {
          x,
          labels: tensor,
          seed: filled('seed', (row) => seedOf(start + row)),
          here: filled('here', (row) => (isHere(row) ? seedOf(start + row) : 0)),
          total: filled('total', (row) => totals[start + row] ?? 0),
          ...tensors,
        },
        { dx },
      );
      await rows[isFirst ? 'spread' : 'add'](dx, positions, 1, upstream);
      isFirst = false;
    }
  }
  return losses;
}

/** Writes the logits at some positions, `[positions, vocab]`, into `all`. */
export async function shardedLogits(
  context: DecoderContext,
  hidden: Tensor,
  positions: readonly number[],
  shards: readonly VocabularyShard[],
  all: Float32Array,
): Promise<Float32Array> {
  const { host, options, rows, weights } = context;
  const { vocabSize } = options.config;
  for (const [index, shard] of shards.entries()) {
    const tensors = weights.head(index);
    // generation asks for one position a row, over and over: a single row is not padded
    for (const chunk of chunksFor(positions.length, 1)) {
      const graph = await graphFor(context, chunk.size, shard.size, 'logits');
      const logits = host.floats('head.logits', [chunk.size, shard.size]);
      const x = await rows.take(hidden, positionsOf(positions, chunk), chunk.size);
      await graph.run({ x, ...tensors }, { logits });
      for (let row = 0; row < chunk.count; row++)
        all.set(
          logits.data.subarray(row * shard.size, (row + 1) * shard.size),
          (chunk.start + row) * vocabSize + shard.first,
        );
    }
  }
  return all;
}
