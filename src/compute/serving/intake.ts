/** How requests come to an engine: what is asked is checked before it waits, and an answer whose reader goes ends. */
import type { AnswerConstraint } from './constraint.js';
import { ClosedError, type ModelAccess } from './model-access.js';
import type { ServedAnswer } from './served-answer.js';
import type { CompletionPiece, CompletionRequest } from './types.js';

export class Intake {
  /** Requests that have ended, however they did. */
  answered = 0;
  closed = false;

  /** `leftOf`: what of a request is left to its answer; default: all of it. */
  constructor(
    private readonly access: ModelAccess,
    private readonly leftOf: (request: CompletionRequest) => CompletionRequest = (request) => request,
  ) {}

  /** `enter` lets an answer wait for its place. Throws as {@link ServingEngine.complete} does. */
  async *complete(
    request: CompletionRequest,
    signal: AbortSignal,
    enter: (answer: ServedAnswer, constraint: AnswerConstraint | undefined) => void,
  ): AsyncGenerator<CompletionPiece> {
    signal.throwIfAborted();
    const prompt = this.access.idsOf(request.prompt);
    const constraint = await this.access.constraintOf(request);
    signal.throwIfAborted();
    if (this.closed) throw new ClosedError();
    const answer = this.access.answer(this.leftOf(request), prompt, constraint);
    const abort = (): void => answer.fail(signal.reason);
    signal.addEventListener('abort', abort);
    enter(answer, constraint);
    try {
      yield* answer.pieces;
    } finally {
      signal.removeEventListener('abort', abort);
      // nobody waits for what a reader does not take to its end
      if (!answer.over) answer.fail(undefined);
      this.answered++;
    }
  }
}
