/** What answers take besides the weights: a batch of prompts, and their keys and values. */
import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import {
  batchRows,
  cacheBytesPerToken,
  generationBatches,
} from '../../../compute/evaluation/generation/generate.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import { blueprintOf } from '../../../compute/models/architectures/index.js';
import { turningLengthOf } from '../../../compute/models/decoder/positions.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { MOST_DISCARDED } from '../../../compute/tensor/garbage.js';
import { paddedLength } from '../../../compute/training/batch.js';

export interface Answers {
  readonly rows: number;
  /** Tokens of the longest prompt, and of all of them where that is known: alike ones are answered together. */
  readonly prompt: number;
  readonly prompts?: readonly number[];
  readonly maxTokens: number;
  /** Bytes of codes that a single answer reads as they are stored, while they are compiled. */
  readonly codes?: number;
}

/** The rows and tokens of the prompts that pass through together, and bytes besides that pass. */
interface AnswerBatch {
  readonly rows: number;
  readonly prompt: number;
  readonly more: { readonly activations: number; readonly logits: number };
}

export function answerBatch(
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
  answers: Answers,
): AnswerBatch {
  const virtual = virtualTokensOf(adapter);
  const { rows, capacity, prompt } = largestBatch(config, virtual, answers);
  // a text that grows longer is computed again from its start
  const turning =
    config.foreign === undefined ? turningLengthOf(blueprintOf(config)) : Number.POSITIVE_INFINITY;
  const filled = prompt <= turning && turning < capacity ? turning : prompt;
  const caches = rows * capacity * cacheBytesPerToken(config);
  return {
    rows,
    prompt: Math.min(paddedLength(filled), config.maxPositions),
    more: {
      // caches that grow are copied layer by layer, and what they were waits for the collector
      activations: caches + Math.min(MOST_DISCARDED, caches / 2) + caches / config.layers,
      logits: 2 * 4 * rows * config.vocabSize,
    },
  };
}

/** Rows that are answered together. */
export interface Answered {
  readonly rows: number;
  /** Tokens that each has room for, virtual ones included. */
  readonly capacity: number;
  /** Tokens of the longest prompt. */
  readonly prompt: number;
}

/** The rows that are answered together whose keys and values take most. */
const largestBatch = (config: ModelConfig, virtual: number, answers: Answers): Answered =>
  answeredTogether(config, virtual, answers).reduce(
    (most, one) => (one.rows * one.capacity > most.rows * most.capacity ? one : most),
    { rows: 0, capacity: 0, prompt: answers.prompt },
  );

/** All batches, those of the longest prompts first; `virtual`: tokens that an adapter has before every text. */
export function answeredTogether(
  config: ModelConfig,
  virtual: number,
  { rows, prompt, prompts = new Array<number>(rows).fill(prompt), maxTokens }: Answers,
): readonly Answered[] {
  const reach = (tokens: number): number => Math.min(virtual + tokens, config.maxPositions);
  return generationBatches(prompts, { maxTokens, maxPositions: config.maxPositions }, (tokens) =>
    batchRows(config, reach(tokens), EVALUATION_SHAPES.cacheBytes),
  ).map((batch) => ({
    rows: batch.rows.length,
    capacity: reach(batch.capacity),
    prompt: Math.max(...batch.rows.map((row) => prompts[row] ?? 0)),
  }));
}
