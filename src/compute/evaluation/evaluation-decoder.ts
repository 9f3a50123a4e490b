import { adaptedConfig } from '../models/adapters/whole.js';
import { vocabularyShardSize } from '../models/decoder/chunks.js';
import { createDecoder, type Decoder } from '../models/decoder/index.js';
import type { Adapter, ModelConfig, WeightStore } from '../models/types.js';
import type { Runtime } from '../tensor/types.js';

/** What an evaluation computes at a time: the planner measures these shapes, and the stage runs them. */
export const EVALUATION_SHAPES = {
  /** Tokens of a micro batch of losses, padding included. */
  batchTokens: 512,
  /** Tokens whose logits exist at the same time. */
  logitsChunk: 128,
  /** Answers of a batch. */
  together: { rows: 32, cacheBytes: 128 * 2 ** 20 },
} as const;

interface EvaluationModel {
  readonly runtime: Runtime;
  readonly config: ModelConfig;
  readonly weights: WeightStore;
  readonly adapter?: Adapter;
  /** See `DecoderOptions`: the planner counts on none. */
  readonly storedSteps?: boolean;
}

/** A decoder that trains nothing, in the shapes that the planner counts on. Throws as {@link createDecoder} does. */
export const evaluationDecoder = (evaluated: EvaluationModel): Promise<Decoder> =>
  createDecoder({
    ...evaluated,
    trainable: 'none',
    checkpointedBlocks: 0,
    logitsChunk: EVALUATION_SHAPES.logitsChunk,
    vocabularyShard: vocabularyShardSize(adaptedConfig(evaluated.config, evaluated.adapter?.config)),
  });
