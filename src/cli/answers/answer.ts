import { type EndReason, generate, type Sampling } from '../../evaluation/generation/index.js';
import { UsageError } from '../usage-error.js';
import type { AnsweringModel } from './open.js';

export interface AnswerOptions {
  readonly maxTokens: number;
  readonly sampling?: Sampling;
  readonly signal?: AbortSignal;
  /** Called with each piece of text that is sure not to change any more. */
  readonly onText?: (piece: string) => void;
}

export interface Answer {
  readonly text: string;
  readonly reason: EndReason;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** A character of several bytes comes token by token: what decodes to this is not complete. */
const INCOMPLETE = '\ufffd';

/** Goes on from a prompt until the model ends its answer. */
export async function answer(model: AnsweringModel, prompt: string, options: AnswerOptions): Promise<Answer> {
  const { tokenizer } = model;
  const decode = (ids: readonly number[]): string => tokenizer.decode(ids, { skipSpecial: true });
  const ids = tokenizer.encode(prompt);
  if (ids.length === 0) throw new UsageError('there is no text that the model could go on from');
  const chosen: number[] = [];
  let shown = 0;
  const [generated] = await generate(model.decoder, [ids], {
    maxTokens: options.maxTokens,
    stopIds: model.stopIds,
    ...(options.sampling === undefined ? {} : { sampling: options.sampling }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onToken: (_, id) => {
      if (options.onText === undefined) return;
      chosen.push(id);
      const text = decode(chosen);
      if (text.endsWith(INCOMPLETE)) return;
      options.onText(text.slice(shown));
      shown = text.length;
    },
  });
  if (generated === undefined) throw new Error('a prompt has an answer');
  return {
    text: decode(generated.ids),
    reason: generated.reason,
    promptTokens: ids.length,
    answerTokens: generated.ids.length,
  };
}
