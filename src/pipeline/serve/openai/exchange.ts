/** What both endpoints make of a request: completions to compute, and how to answer with them. */
import type {
  CompletionPiece,
  CompletionRequest,
  ServingInfo,
  TokenLogprob,
} from '../../../compute/serving/types.js';
import type { Endpoint } from '../observer.js';

/** Tokens of a request. */
interface Usage {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly answerTokens: number;
}

/** One answer, complete. */
export interface Answered extends Usage {
  readonly text: string;
  readonly logprobs: readonly TokenLogprob[];
  readonly reason: 'stop' | 'length';
}

/** What goes into every body of an exchange. */
export interface Envelope {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
  readonly fingerprint: string;
}

type TextPiece = Extract<CompletionPiece, { type: 'text' }>;

/** The chunks of one answer that is streamed: bodies without their envelope's fields. */
export interface ChoiceStream {
  /** Before any text. */
  begin(): readonly object[];
  text(piece: TextPiece): readonly object[];
  /** With the reason that the client is told. */
  end(reason: 'stop' | 'length'): readonly object[];
}

export interface Exchange {
  readonly endpoint: Endpoint;
  readonly model: string;
  /** One per answer, in the order of the choices. */
  readonly requests: readonly CompletionRequest[];
  /** Of the requests, those of one prompt are so many that follow each other: its tokens count once. */
  readonly perPrompt: number;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** OpenAI's `user`. */
  readonly user?: string;
  /** As the client sent it, for a log that is asked for. */
  readonly prompt: unknown;
  /** Throws an `ApiError` for what this model cannot do. */
  check(info: ServingInfo): void;
  reply(envelope: Envelope, answers: readonly Answered[], info: ServingInfo): object;
  choice(index: number, info: ServingInfo): ChoiceStream;
  chunk(envelope: Envelope, choices: readonly object[], usage: object | null | undefined): object;
}

export const usageBody = ({ promptTokens, cachedTokens, answerTokens }: Usage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: answerTokens,
  total_tokens: promptTokens + answerTokens,
  prompt_tokens_details: { cached_tokens: cachedTokens },
});

/** Tokens of all answers; a prompt with several counts once. */
export function totalUsage(answers: readonly Usage[], perPrompt: number): Usage {
  const prompts = answers.filter((_, index) => index % perPrompt === 0);
  const sum = (of: readonly Usage[], field: keyof Usage): number =>
    of.reduce((total, each) => total + each[field], 0);
  return {
    promptTokens: sum(prompts, 'promptTokens'),
    cachedTokens: sum(prompts, 'cachedTokens'),
    answerTokens: sum(answers, 'answerTokens'),
  };
}

/** JSON has no infinity: what has no probability at all is this unlikely in OpenAI's API. */
export const logprobNumber = (logprob: number): number | null =>
  Number.isNaN(logprob) ? null : Math.max(logprob, -9999);
