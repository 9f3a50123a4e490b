/** What answers take besides the weights: a batch of prompts, and their keys and values. */
import { EVALUATION_SHAPES } from '../../../compute/evaluation/evaluation-decoder.js';
import { batchRows, cacheBytesPerToken } from '../../../compute/evaluation/generation/generate.js';
import type { AdapterConfig } from '../../../compute/models/adapters/config.js';
import { virtualTokensOf } from '../../../compute/models/adapters/kinds.js';
import { blueprintOf } from '../../../compute/models/architectures/index.js';
import { turningLengthOf } from '../../../compute/models/decoder/positions.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import { paddedLength } from '../../../compute/training/batch.js';

export interface Answers {
  readonly rows: number;
  /** Tokens of the longest prompt. */
  readonly prompt: number;
  readonly maxTokens: number;
}

/** The rows and tokens of the prompts that pass through together, and bytes besides that pass. */
export interface AnswerBatch {
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
  const capacity = Math.min(virtual + answers.prompt + answers.maxTokens, config.maxPositions);
  const rows = Math.min(answers.rows, batchRows(config, capacity, EVALUATION_SHAPES.cacheBytes));
  // a text that grows longer is computed again from its start
  const turning =
    config.foreign === undefined ? turningLengthOf(blueprintOf(config)) : Number.POSITIVE_INFINITY;
  const filled = answers.prompt <= turning && turning < capacity ? turning : answers.prompt;
  return {
    rows,
    prompt: Math.min(paddedLength(filled), config.maxPositions),
    more: {
      // a cache that grows is copied into one of twice the size
      activations: 1.5 * rows * capacity * cacheBytesPerToken(config),
      logits: 2 * 4 * rows * config.vocabSize,
    },
  };
}
