/** Questions of the command line to an engine that serves many: they are answered as its requests are. */
import {
  type Answer,
  type Answerer,
  type AnswerOptions,
  type AskedModel,
  answererBy,
  LONGEST,
} from '../evaluation/chat.js';
import type { CompletionRequest, ServingEngine } from './types.js';

/** `close`s the engine when it is released. */
export function servedAnswerer(
  engine: ServingEngine,
  model: AskedModel & { readonly vocabSize: number },
): Answerer {
  const { contextTokens } = engine.info;
  return answererBy(
    model,
    { maxPositions: contextTokens, vocabSize: model.vocabSize },
    {
      async answering(prompts, first, options, onText) {
        // one that fails ends the others too, which nobody would read
        const failed = new AbortController();
        const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
        const asked = prompts.map((prompt, at) =>
          answered(engine, requestOf(prompt, first + at, options), signal, onText),
        );
        try {
          return await Promise.all(asked);
        } catch (error) {
          failed.abort(error);
          await Promise.allSettled(asked);
          throw error;
        }
      },
      release: () => engine.close(),
    },
  );
}

function requestOf(prompt: Int32Array, stream: number, options: AnswerOptions): CompletionRequest {
  const { maxTokens = LONGEST, repetitionPenalty, stop = [] } = options;
  return {
    ...{ prompt: { tokens: [...prompt] }, maxTokens, draw: options, stream, stop },
    ...(repetitionPenalty !== undefined && { penalties: { repetition: repetitionPenalty } }),
  };
}

async function answered(
  engine: ServingEngine,
  request: CompletionRequest,
  signal: AbortSignal,
  onText: ((piece: string) => void) | undefined,
): Promise<Answer> {
  let text = '';
  for await (const piece of engine.complete(request, signal)) {
    if (piece.type === 'text') {
      text += piece.text;
      onText?.(piece.text);
    }
    if (piece.type !== 'end') continue;
    const { reason, promptTokens, answerTokens } = piece;
    const isFull = reason === 'length' && answerTokens < (request.maxTokens ?? answerTokens);
    return { text, reason: isFull ? 'full' : reason, promptTokens, answerTokens };
  }
  throw new Error('an answer has an end');
}
