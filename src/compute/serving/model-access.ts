/** What an engine knows of the model that it serves, however that computes. */

import { endIds } from '../evaluation/chat.js';
import type { ModelFacts } from '../models/any-model.js';
import { writesTools } from '../models/chat-template/index.js';
import type { RowPrompt } from '../models/training-prompt.js';
import type { ChatTemplate, Tokenizer } from '../models/types.js';
import { checkBias } from './adjustments.js';
import { type AnswerConstraint, Constraints } from './constraint.js';
import { logprobWriter } from './logprobs.js';
import { processMemory } from './process-memory.js';
import { servedIds } from './prompt.js';
import { type AnswerParts, ServedAnswer } from './served-answer.js';
import { toolStyleOf } from './tool-calls.js';
import type { CompletionPrompt, CompletionRequest, ServingInfo } from './types.js';

export interface ModelParts {
  readonly label: string;
  readonly facts: Pick<ModelFacts, 'vocabSize' | 'eosTokenIds'>;
  readonly tokenizer: Tokenizer;
  readonly template?: ChatTemplate;
  readonly training?: RowPrompt;
  readonly system?: string | false;
  /** Milliseconds of a clock that nobody sets. */
  readonly clock: () => number;
}

export interface ModelAccess {
  readonly info: ServingInfo;
  /** Token ids of a prompt, as training had them. Throws a `UserError` for one that the model cannot read. */
  idsOf(prompt: CompletionPrompt): Int32Array;
  /** Throws a `UserError` for what the model cannot do. The first of them takes a second, in which other answers go on. */
  constraintOf(request: CompletionRequest): Promise<AnswerConstraint | undefined>;
  /** An answer that has not begun. */
  answer(
    request: CompletionRequest,
    prompt: Int32Array,
    constraint: AnswerConstraint | undefined,
  ): ServedAnswer;
}

/** `limits.memory`: bytes of weights and caches. */
export function modelAccess(
  parts: ModelParts,
  limits: Pick<ServingInfo, 'engine' | 'rows' | 'contextTokens' | 'memory'>,
): ModelAccess {
  const { label, template, tokenizer, facts, training } = parts;
  const { contextTokens } = limits;
  const { vocabSize } = facts;
  const tools = template !== undefined && writesTools(template);
  const answerParts: AnswerParts = {
    ...{ tokenizer, contextTokens, clock: parts.clock, stops: training?.stop ?? [] },
    endIds: endIds(facts, tokenizer, template),
    writeLogprob: logprobWriter(tokenizer),
  };
  const constraints = new Constraints(tokenizer, vocabSize, answerParts.endIds);
  let asked = 0;
  return {
    info: {
      ...{ label, ...limits, chats: template !== undefined, tools },
      memory: limits.memory + processMemory(limits.engine, vocabSize),
      ...(tools && { toolStyle: toolStyleOf(template.source) }),
    },
    idsOf: (prompt) => servedIds(prompt, { ...parts, vocabSize, contextTokens }),
    async constraintOf(request) {
      checkBias(request, label, vocabSize);
      if (request.format !== undefined) await constraints.prepare();
      return constraints.of(request.format);
    },
    answer: (request, prompt, constraint) =>
      new ServedAnswer(answerParts, request, prompt, asked++, constraint),
  };
}

/** A server that is closing: requests that have not ended fail. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';
  constructor() {
    super('the model was closed');
  }
}
