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
import { cacheSize } from '../../../compute/models/decoder/caches.js';
import { turningLengthOf } from '../../../compute/models/decoder/positions.js';
import type { ModelConfig } from '../../../compute/models/types.js';
import type { PlannedCodes } from '../../../compute/models/weights/stored-codes.js';
import { HeldBytes } from '../../../compute/tensor/held-bytes.js';
import { paddedLength } from '../../../compute/training/batch.js';
import { type Answered, type Ends, stepShapes } from './answered-steps.js';

export interface Answers {
  readonly rows: number;
  /** Tokens of the longest prompt, and of all of them where that is known: alike ones are answered together. */
  readonly prompt: number;
  readonly prompts?: readonly number[];
  readonly maxTokens: number;
  /** When they end, in the order of the prompts, where something is known of that. */
  readonly ends?: Ends | undefined;
  /** Codes that a single answer reads as they are stored. */
  readonly codes?: PlannedCodes | undefined;
}

/** The rows and tokens of the prompts that pass through together, and bytes besides that pass. */
export interface AnswerBatch {
  readonly rows: number;
  readonly prompt: number;
  readonly more: { readonly activations: number; readonly logits: number };
}

/** `fullest`: of the batches, the one in which keys and values are looked at; default: where they take most. `outgrown`: as of {@link cacheBytes}. */
export function answerBatch(
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
  answers: Answers,
  { fullest, outgrown }: { readonly fullest?: number | undefined; readonly outgrown?: number } = {},
): AnswerBatch {
  const virtual = virtualTokensOf(adapter);
  const batches = answeredTogether(config, virtual, answers);
  const { rows, capacity, prompt } = largestOf(batches, answers);
  // a text that grows longer is computed again from its start
  const turning =
    config.foreign === undefined ? turningLengthOf(blueprintOf(config)) : Number.POSITIVE_INFINITY;
  const filled = prompt <= turning && turning < capacity ? turning : prompt;
  const length = Math.min(paddedLength(filled), config.maxPositions);
  const caches = cacheBytes(config, adapter, answers, outgrown);
  return {
    rows,
    prompt: length,
    more: {
      activations: (caches[fullest ?? -1] ?? Math.max(0, ...caches)) + layerBytes(config, rows * length),
      logits: 4 * rows * config.vocabSize,
    },
  };
}

/** Keys and values of these tokens, of the one layer whose graph has given them before they are in its cache. */
export const layerBytes = (config: ModelConfig, tokens: number): number =>
  (tokens * cacheBytesPerToken(config)) / config.layers;

/**
 * Bytes of keys and values at most while each batch is answered, one after another: their caches grow layer by layer, for the rows that
 * are left by then, and what they were, as well as those of a batch that is answered, waits for the collector until enough has gathered.
 * `outgrown`: bytes of buffers that passes before had, which wait since the first prompts needed larger ones.
 */
export function cacheBytes(
  config: ModelConfig,
  adapter: AdapterConfig | undefined,
  answers: Answers,
  outgrown = 0,
): readonly number[] {
  const virtual = virtualTokensOf(adapter);
  const ofToken = cacheBytesPerToken(config) / config.layers;
  const held = new HeldBytes();
  held.add(outgrown);
  held.discard(outgrown);
  return answeredTogether(config, virtual, answers).map((batch) => {
    const { rows: all, prompt, capacity } = batch;
    held.most = 0;
    let cache = { size: 0, bytes: 0 };
    const grow = (rows: number, size: number): void => {
      if (size === cache.size) return;
      const bytes = ofToken * rows * size;
      for (let layer = 0; layer < config.layers; layer++) {
        held.add(bytes);
        held.discard(cache.bytes);
      }
      cache = { size, bytes };
    };
    grow(all, cacheSize(virtual + prompt, capacity));
    for (const { rows, size } of stepShapes(batch, virtual)) grow(rows, size);
    held.discard(config.layers * cache.bytes);
    return held.most;
  });
}

/** The rows that are answered together whose keys and values take most. */
const largestOf = (batches: readonly Answered[], { prompt }: Answers): Answered =>
  batches.reduce((most, one) => (one.rows * one.capacity > most.rows * most.capacity ? one : most), {
    ...{ rows: 0, capacity: 0, prompt },
  });

/** All batches, those of the longest prompts first; `virtual`: tokens that an adapter has before every text. */
export function answeredTogether(
  config: ModelConfig,
  virtual: number,
  { rows, prompt, prompts = new Array<number>(rows).fill(prompt), maxTokens, ends }: Answers,
): readonly Answered[] {
  const reach = (tokens: number): number => Math.min(virtual + tokens, config.maxPositions);
  return generationBatches(prompts, { maxTokens, maxPositions: config.maxPositions }, (tokens) =>
    batchRows(config, reach(tokens), EVALUATION_SHAPES.together),
  ).map((batch) => ({
    rows: batch.rows.length,
    capacity: reach(batch.capacity),
    prompt: Math.max(...batch.rows.map((row) => prompts[row] ?? 0)),
    ends: typeof ends === 'object' ? batch.rows.map((row) => ends[row] ?? 1) : ends,
  }));
}
