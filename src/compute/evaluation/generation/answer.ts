import { type Random, seededRandom } from '../seeded-random.js';
import { argmax, candidates, draw, penaliseRepetition } from './sampling.js';
import type { EndReason, GeneratedAnswer, GenerationOptions } from './settings.js';

/** One row's answer while it grows. */
export interface GrowingAnswer {
  readonly row: number;
  readonly ended: boolean;
  /** The token chosen last. */
  readonly last: number;
  /** Chooses the next token from `[vocab]` logits, which it may change. */
  take(logits: Float32Array): void;
  /** Takes the next token as somebody else chose it. */
  accept(id: number): void;
  result(): GeneratedAnswer;
}

/** A logit is not a number: the model's weights are damaged, or overflowed. */
export class NoNumberError extends Error {
  override readonly name = 'NoNumberError';
  constructor() {
    super('the model gave a logit that is not finite');
  }
}

/** `room`: tokens that the model has positions for after the prompt. */
export function growingAnswer(
  row: number,
  prompt: Int32Array,
  room: number,
  options: GenerationOptions,
): GrowingAnswer {
  const { sampling, repetitionPenalty = 1, text: words } = options;
  const stopIds = new Set(options.stopIds);
  const ids: number[] = [];
  const seen = new Set(repetitionPenalty === 1 ? [] : prompt);
  // Each row has draws of its own: its answer doesn't depend on the rows next to it.
  const random: Random | undefined = sampling && seededRandom(sampling.seed, options.streams?.[row] ?? row);
  let reason: EndReason | undefined;
  let text = '';

  function next(logits: Float32Array): number {
    if (repetitionPenalty !== 1) penaliseRepetition(logits, seen, repetitionPenalty);
    options.adjust?.(row, logits);
    const id = sampling && random ? draw(candidates(logits, sampling), random()) : argmax(logits);
    if (id < 0) throw new NoNumberError();
    return id;
  }
  /** The text so far; a stop string in it ends the answer. */
  function write(): void {
    if (words === undefined) return;
    text = words.decode(ids);
    const starts = (words.stops ?? []).map((stop) => text.indexOf(stop)).filter((start) => start >= 0);
    if (starts.length > 0) {
      text = text.slice(0, Math.min(...starts));
      reason = 'stop';
    }
    words.onText?.(row, text);
  }

  function accept(id: number): void {
    if (stopIds.has(id)) {
      reason = 'stop';
      return;
    }
    ids.push(id);
    if (repetitionPenalty !== 1) seen.add(id);
    options.onToken?.(row, id);
    write();
    if (reason !== undefined) return;
    if (ids.length >= options.maxTokens) reason = 'length';
    else if (ids.length >= room) reason = 'full';
  }

  return {
    row,
    get ended() {
      return reason !== undefined;
    },
    get last() {
      return ids.at(-1) ?? 0;
    },
    take: (logits) => accept(next(logits)),
    accept,
    result: () => ({ ids, reason: reason ?? 'length', text }),
  };
}
