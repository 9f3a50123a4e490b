import type { Decoder } from '../models/decoder/types.js';
import type { Tokenizer } from '../models/types.js';
import { generate } from './generation/generate.js';
import type { HeldOut } from './held-out.js';
import { type RowLoss, rowLosses } from './losses.js';
import { EVALUATION_SHAPES } from './shapes.js';

export interface ObserveOptions {
  readonly heldOut: HeldOut;
  /** Whether losses are wanted. */
  readonly losses: boolean;
  /** Rows to answer. */
  readonly answer: readonly number[];
  readonly maxTokens: number;
  readonly onProgress?: (done: number, what: 'losses' | 'answers') => void;
  readonly signal?: AbortSignal;
}

/** What one model makes of the rows. */
export interface Observation {
  readonly losses?: readonly RowLoss[];
  /** Answers by row. */
  readonly answers: ReadonlyMap<number, string>;
}

/** Losses of all rows and greedy answers to the chosen ones. */
export async function observe(
  decoder: Decoder,
  tokenizer: Tokenizer,
  options: ObserveOptions,
): Promise<Observation> {
  const { heldOut, onProgress, signal } = options;
  const losses = options.losses
    ? await rowLosses(decoder, heldOut.tokens, {
        batchTokens: EVALUATION_SHAPES.batchTokens,
        padId: heldOut.padId,
        onProgress: (done) => onProgress?.(done, 'losses'),
        signal,
      })
    : undefined;
  const prompts = options.answer.map((row) =>
    heldOut.tokens.read(row).ids.slice(0, heldOut.promptTokens(row)),
  );
  const generated = await generate(decoder, prompts, {
    maxTokens: options.maxTokens,
    stopIds: heldOut.stopIds,
    text: { decode: (ids) => tokenizer.decode(ids, { skipSpecial: true }) },
    cacheBytes: EVALUATION_SHAPES.cacheBytes,
    onProgress: (done) => onProgress?.(done, 'answers'),
    signal,
  });
  const answers = new Map(generated.map(({ text }, i) => [options.answer[i] as number, text]));
  return { losses, answers };
}
