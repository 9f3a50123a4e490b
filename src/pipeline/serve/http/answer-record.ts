/** What is known of a request while it is answered, and what is told about it at its end. */
import type { CompletionPiece } from '../../../compute/serving/types.js';
import type { Endpoint, EndReason, Observer } from '../observer.js';
import type { ApiError } from '../openai/api-error.js';
import { type Answered, type Exchange, totalUsage } from '../openai/exchange.js';
import type { ServedRelease } from '../router.js';
import { failureOf } from './failures.js';

export interface AnswerRecord {
  began(exchange: Exchange): void;
  /** `user`: who asked, as the router knows them. */
  routed(release: ServedRelease, user: string | undefined): void;
  take(index: number, piece: CompletionPiece): void;
  /** As far as they have come. */
  answers(): readonly Answered[];
  failed(failure: ApiError): void;
  /** Tells the observer, once. `reason`: why it ended before its end. */
  finish(reason?: unknown): void;
}

type Growing = { -readonly [K in keyof Omit<Answered, 'logprobs'>]: Answered[K] } & {
  readonly logprobs: Answered['logprobs'][number][];
};

const empty = (): Growing => ({
  ...{ text: '', logprobs: [], reason: 'length' },
  ...{ promptTokens: 0, cachedTokens: 0, answerTokens: 0 },
});

const REASONS: Readonly<Record<number, EndReason>> = { 499: 'abort', 504: 'timeout' };

export function answerRecord(observer: Observer, id: string, endpoint: Endpoint): AnswerRecord {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  observer.started({ id, endpoint });
  let exchange: Exchange | undefined;
  let release: ServedRelease | undefined;
  let user: string | undefined;
  let answers: Growing[] = [];
  let queueSeconds: number | undefined;
  let firstTokenSeconds: number | undefined;
  let failure: ApiError | undefined;
  let isFinished = false;
  return {
    began: (found) => {
      exchange = found;
      answers = found.requests.map(empty);
    },
    routed: (found, who) => {
      release = found;
      user = who;
    },
    take: (index, piece) => {
      const answer = answers[index];
      if (answer === undefined) return;
      if (piece.type === 'start') queueSeconds ??= seconds();
      if (piece.type === 'text' && piece.text !== '') firstTokenSeconds ??= seconds();
      grow(answer, piece);
    },
    answers: () => answers,
    failed: (found) => {
      failure ??= found;
    },
    finish: (reason) => {
      if (isFinished) return;
      isFinished = true;
      const wrong = failure ?? (reason === undefined ? undefined : failureOf(reason));
      observer.finished({
        ...{ id, endpoint, ...(release && { release }), ...(user !== undefined && { user }) },
        ...{ streamed: exchange?.stream === true },
        status: wrong?.status ?? 200,
        reason: wrong === undefined ? endReason(answers) : (REASONS[wrong.status] ?? 'error'),
        ...(wrong === undefined ? {} : { errorCode: wrong.details.code ?? wrong.body.error.type }),
        ...totalUsage(answers, exchange?.perPrompt ?? 1),
        queueSeconds: queueSeconds ?? seconds(),
        ...(firstTokenSeconds === undefined ? {} : { firstTokenSeconds }),
        seconds: seconds(),
        answers: answers.map(({ text }) => text),
        ...(exchange === undefined ? {} : { prompt: exchange.prompt }),
      });
    },
  };
}

function grow(answer: Growing, piece: CompletionPiece): void {
  if (piece.type === 'start') {
    answer.promptTokens = piece.promptTokens;
    answer.cachedTokens = piece.cachedTokens;
  } else if (piece.type === 'text') {
    answer.text += piece.text;
    for (const logprob of piece.logprobs ?? []) answer.logprobs.push(logprob);
    answer.answerTokens += piece.tokens.length;
  } else {
    answer.reason = piece.reason;
    answer.promptTokens = piece.promptTokens;
    answer.answerTokens = piece.answerTokens;
  }
}

const endReason = (answers: readonly Answered[]): EndReason =>
  answers.some(({ reason }) => reason === 'length') ? 'length' : 'stop';
