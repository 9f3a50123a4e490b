import { type Random, seededRandom } from '../random.js';
import { argmax, penaliseRepetition, sample } from './sampling.js';
import type { EndReason, Generated, GenerationOptions } from './types.js';

/** One row's answer while it grows. */
export interface GrowingAnswer {
  readonly row: number;
  readonly ended: boolean;
  /** The token chosen last. */
  readonly last: number;
  /** Chooses the next token from `[vocab]` logits, which it may change. */
  take(logits: Float32Array): void;
  result(): Generated;
}

/** No logit was a number: the model's weights are damaged, or overflowed. */
export class NoNumberError extends Error {
  override readonly name = 'NoNumberError';
  constructor() {
    super('the model gave no number for any token');
  }
}

export function growingAnswer(
  row: number,
  prompt: Int32Array,
  room: number,
  options: GenerationOptions,
): GrowingAnswer {
  const { sampling, repetitionPenalty = 1, stopStrings = [], decode } = options;
  const stops = new Set(options.stopIds);
  const ids: number[] = [];
  const seen = new Set(repetitionPenalty === 1 ? [] : prompt);
  // Each row has draws of its own: its answer doesn't depend on the rows beside it.
  const random: Random | undefined = sampling && seededRandom(sampling.seed, row);
  let reason: EndReason | undefined;
  let text: string | undefined;

  function next(logits: Float32Array): number {
    if (repetitionPenalty !== 1) penaliseRepetition(logits, seen, repetitionPenalty);
    const id = sampling && random ? sample(logits, sampling, random) : argmax(logits);
    if (id < 0) throw new NoNumberError();
    return id;
  }
  function findStopString(): void {
    if (stopStrings.length === 0 || decode === undefined) return;
    const found = decode(ids);
    const starts = stopStrings.map((stop) => found.indexOf(stop)).filter((start) => start >= 0);
    if (starts.length === 0) return;
    text = found.slice(0, Math.min(...starts));
    reason = 'stop';
  }

  return {
    row,
    get ended() {
      return reason !== undefined;
    },
    get last() {
      return ids.at(-1) ?? 0;
    },
    take(logits) {
      const id = next(logits);
      if (stops.has(id)) {
        reason = 'stop';
        return;
      }
      ids.push(id);
      seen.add(id);
      options.onToken?.(row, id);
      findStopString();
      if (reason !== undefined) return;
      if (ids.length >= options.maxTokens) reason = 'length';
      else if (ids.length >= room) reason = 'full';
    },
    result: () => ({ ids, reason: reason ?? 'length', ...(text === undefined ? {} : { text }) }),
  };
}
