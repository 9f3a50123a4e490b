/** Positions that go through the head together, in tensors of few sizes, so that few graphs are compiled. */
import type { HostTensor } from '../../tensor/types.js';
import { trainsHead } from '../adapters/biases.js';
import type { ModelConfig } from '../types.js';
import type { DecoderOptions } from './types.js';

const SMALLEST = 16;

/** Positions that a chunk of `count` is padded to. */
export function chunkSize(count: number, most: number, least = SMALLEST): number {
  let size = least;
  while (size < count) size *= 2;
  return Math.min(size, Math.max(most, 1));
}

export interface Chunk {
  readonly size: number;
  /** Position of the first element in the list, and how many of the chunk are real. */
  readonly start: number;
  readonly count: number;
}

/** `total` positions in chunks of `most`; the last one is padded to a power of two, of at least `least`. */
export function chunksOf(total: number, most: number, least = SMALLEST): readonly Chunk[] {
  const chunks: Chunk[] = [];
  for (let start = 0; start < total; start += most) {
    const count = Math.min(most, total - start);
    chunks.push({ size: chunkSize(count, most, least), start, count });
  }
  return chunks;
}

export const positionsOf = (positions: readonly number[], { start, count }: Chunk): readonly number[] =>
  positions.slice(start, start + count);

/** With zeros from an element on. */
export function cleared<T extends HostTensor>(tensor: T, from: number): T {
  (tensor.data as Float32Array | Int32Array).fill(0, from);
  return tensor;
}

/** Tokens at a time: fewer would pack the matrix for little work. */
export const SHARD_TOKENS = 256;

/** Values of the output matrix at a time: 16 MiB as float32. */
const SHARD_VALUES = 2 ** 22;
const SHARD_STEP = 64;

/** Tokens of a shard, all of about the same size; `undefined` if the whole matrix is not much larger than one. */
export function vocabularyShardSize({
  vocabSize,
  hiddenSize,
  labels,
}: Pick<ModelConfig, 'vocabSize' | 'hiddenSize' | 'labels'>): number | undefined {
  const shards = Math.ceil((vocabSize * hiddenSize) / SHARD_VALUES);
  if (shards < 3 || labels !== undefined) return undefined;
  return Math.ceil(vocabSize / shards / SHARD_STEP) * SHARD_STEP;
}

export interface VocabularyShard {
  /** Row of the output matrix. */
  readonly first: number;
  readonly size: number;
}

/** Rows of the output matrix `[vocabSize, hidden]` in shards of `shardSize`; the last one has the rest. */
export function vocabularyShards(vocabSize: number, shardSize: number): readonly VocabularyShard[] {
  const count = Math.ceil(vocabSize / shardSize);
  return Array.from({ length: count }, (_, at) => ({
    first: at * shardSize,
    size: Math.min(shardSize, vocabSize - at * shardSize),
  }));
}

/** The shards that a decoder of these options computes its head in; `undefined`: all of it at once. */
export function headShards({
  runtime,
  config,
  adapter,
  trainable,
  vocabularyShard,
}: DecoderOptions): readonly VocabularyShard[] | undefined {
  const isTrained = trainable === 'full' || (trainable === 'adapter' && trainsHead(config, adapter?.config));
  if (vocabularyShard === undefined || isTrained || !runtime.memory.isHost) return undefined;
  return vocabularyShards(config.vocabSize, vocabularyShard);
}
