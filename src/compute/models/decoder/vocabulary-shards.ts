/** A vocabulary in shards: rows of the output matrix that are in memory as float32, with their logits, one shard after the other. */
import { wholeTensor } from '../adapters/whole.js';
import type { ModelConfig } from '../types.js';
import type { DecoderOptions } from './types.js';

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
  const isTrained =
    trainable === 'full' ||
    (trainable === 'adapter' && wholeTensor(config, adapter?.config, 'head') !== undefined);
  if (vocabularyShard === undefined || isTrained || !runtime.memory.isHost) return undefined;
  return vocabularyShards(config.vocabSize, vocabularyShard);
}
