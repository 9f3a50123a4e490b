/** What the head of a decoder takes in a micro batch, in chunks of tokens and shards of the vocabulary. */
import { flopsOf } from '../../tensor/cost.js';
import { transientBytes } from '../../tensor/liveness.js';
import type { Graph } from '../../tensor/types.js';
import { trainsHead } from '../adapters/biases.js';
import { HEAD } from '../architectures/graphs/head.js';
import { chunkSize, SHARD_TOKENS } from './chunks.js';
import { perOptions, sumOf, valueBytes } from './graph-measures.js';
import {
  type GraphOptions,
  headGraph,
  headHalves,
  lossRole,
  SAVED_LOGITS,
  vocabularyShardGraph,
} from './graphs.js';
import type { DecoderPlanOptions } from './types.js';

/** The graphs of the head, and how often they run: once a chunk, or once a chunk and vocabulary shard. */
export function headWork(options: DecoderPlanOptions, graphs: GraphOptions, supervised: number): HeadWork {
  const { config, adapter, logitsChunk, vocabularyShard, trainable, weighs, wanted = 'loss' } = options;
  const most = vocabularyShard === undefined ? logitsChunk : SHARD_TOKENS;
  const tokens = chunkSize(Math.min(supervised, most), most, wanted === 'logits' ? 1 : undefined);
  const chunks = Math.ceil(supervised / most);
  const training = trainable !== 'none';
  const isTrained = trainable === 'full' || (training && trainsHead(config, adapter));
  // all losses come before the first gradient, and one chunk is kept in between
  const keeps = isTrained && weighs === true && vocabularyShard === undefined;
  const isWhole = !keeps || chunks > 1;
  const measured = headMeasures(
    graphs,
    `${tokens} ${vocabularyShard} ${training} ${keeps} ${isWhole} ${wanted}`,
    () => {
      if (vocabularyShard === undefined) {
        const { forward, backward } = keeps ? headHalves(graphs, tokens) : {};
        const whole = isWhole ? headGraph(graphs, tokens, training ? 'train' : wanted) : undefined;
        return [forward, backward, whole].flatMap((graph) => graph ?? []);
      }
      const roles = training ? [lossRole(graphs), 'gradient' as const] : [wanted];
      return roles.map((role) => vocabularyShardGraph(graphs, { tokens, shardSize: vocabularyShard }, role));
    },
  );
  const shards = vocabularyShard === undefined ? 1 : Math.ceil(config.vocabSize / vocabularyShard);
  const [first] = measured.graphs;
  const again = keeps && first !== undefined ? (chunks - 1) * flopsOf(first) : 0;
  return { ...measured, times: chunks * shards, again };
}

/**
 * The graphs of a head, and what they take; `times`: how often the first two of them run, or the only one, and `again`:
 * operations of losses that are computed a second time.
 */
interface HeadWork {
  readonly graphs: readonly Graph[];
  readonly times: number;
  readonly again: number;
  readonly buffers: number;
  readonly transient: number;
  readonly flops: number;
}

const headMeasures = perOptions(
  (graphs: readonly Graph[]): Omit<HeadWork, 'times' | 'again'> => ({
    graphs,
    buffers: Math.max(...graphs.map(headBufferBytes)),
    transient: Math.max(...graphs.map(transientBytes)),
    flops: sumOf(graphs.slice(0, 2), flopsOf),
  }),
);

/** Tensors of the head that the driver allocates: a chunk's rows, and what comes back for them. */
const HEAD_BUFFERS: ReadonlySet<string> = new Set([
  ...['x', 'labels', 'seed', 'loss', 'logits', 'dx'],
  ...['here', 'total', 'label', 'most', 'sum', 'all', `dropout.${HEAD}`, SAVED_LOGITS],
]);

const headBufferBytes = (head: Graph): number =>
  valueBytes(
    head,
    [...head.inputs, ...head.outputs].filter(({ name }) => HEAD_BUFFERS.has(name)),
  );
