/** What an evaluation asks of a model, wherever it computes: over a decoder of this process, or in another one. */
import type { ModelFacts } from '../models/any-model.js';
import type { Decoder } from '../models/decoder/types.js';
import { buildBatch, type TokenRows } from '../training/batch.js';
import type { CountedTexts } from '../training/index.js';
import { choiceLosses } from './choice-losses.js';
import { EVALUATION_SHAPES } from './evaluation-decoder.js';
import { generate } from './generation/generate.js';
import type { GeneratedAnswer, GenerationOptions } from './generation/settings.js';
import { classifyPairs, joinedLosses, joinsPairs, pairsOfRows } from './joined-losses.js';
import { lossBatches, type RowLoss, rowLosses } from './losses.js';

export interface RowsOptions {
  readonly padId: number;
  /** Rows next to each other begin alike: an engine may compute what they share once. */
  readonly sharesPrefixes?: boolean | undefined;
  /** Rows next to each other are pairs of answers, of these lengths: an engine may compute their prompt once. */
  readonly pairs?: CountedTexts | undefined;
  /** Called with the number of rows that are done. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * The experts that a mixture asks about a text: they are noted, or those that were noted are asked again, whatever model it is by
 * then. The embedded engine has no mixtures.
 */
export type Routing = 'noted' | 'repeated';

/** Calls must not overlap. */
export interface LanguageModel {
  /** With the labels of an adapter that brings a head over some. */
  readonly facts: ModelFacts;
  /** The loss of every row, in the rows' order. */
  losses(rows: TokenRows, options: RowsOptions): Promise<readonly RowLoss[]>;
  /** As {@link generate} does. */
  generate(prompts: readonly Int32Array[], options: GenerationOptions): Promise<readonly GeneratedAnswer[]>;
  /**
   * Of a classifier: hands the logits `[labels]` of every row to `take`, in any order, each read where the row's label is.
   */
  classify(
    rows: TokenRows,
    options: RowsOptions,
    take: (row: number, logits: Float32Array) => void,
  ): Promise<void>;
  /** `[tokens, vocab]`; of a classifier, logits over its labels. */
  logits(ids: Int32Array, routing?: Routing): Promise<Float32Array>;
  release(): Promise<void>;
}

/** A model over a decoder of this process. */
export function decoderModel(decoder: Decoder): LanguageModel {
  const { config } = decoder.options;
  const { batchTokens } = EVALUATION_SHAPES;
  return {
    facts: config,
    losses(rows, options) {
      const asked = { ...options, batchTokens };
      if (options.sharesPrefixes === true) return choiceLosses(decoder, rows, asked);
      return joinsPairs(decoder, options.pairs)
        ? joinedLosses(decoder, rows, pairsOfRows(rows), asked)
        : rowLosses(decoder, rows, asked);
    },
    generate: (prompts, options) => generate(decoder, prompts, options),
    async classify(rows, options, take) {
      const { padId, onProgress, signal } = options;
      if (joinsPairs(decoder, options.pairs))
        return classifyPairs(decoder, rows, { ...options, batchTokens }, take);
      const width = config.labels?.length ?? 0;
      let done = 0;
      for (const batch of lossBatches(rows, batchTokens)) {
        signal?.throwIfAborted();
        const logits = await decoder.classify(buildBatch(rows, batch, padId, config.maxPositions));
        batch.forEach((row, index) => {
          take(row, logits.subarray(index * width, (index + 1) * width));
        });
        done += batch.length;
        onProgress?.(done);
      }
    },
    logits: (ids) => decoder.logits({ rows: 1, length: ids.length, ids }),
    release: () => decoder.release(),
  };
}
