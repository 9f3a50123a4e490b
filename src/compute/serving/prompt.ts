/** From what a request asks to the tokens that the model reads. */
import { isJson, type Json } from '../../language/host/json.js';
import { checkPrompt, promptIds } from '../evaluation/chat.js';
import { promptTooLong } from '../evaluation/evaluation-diagnostics.js';
import { writesTools } from '../models/chat-template/index.js';
import { argumentsOf } from '../models/messages.js';
import { type RowPrompt, systemOf, withSystem } from '../models/training-prompt.js';
import { type ChatMessage, type ChatTemplate, ModelError, type Tokenizer } from '../models/types.js';
import { emptyPrompt, noTemplate, noTools, refusedMessages, unknownTokenId } from './serving-diagnostics.js';
import type { CompletionPrompt } from './types.js';

/** What prompts are read with. */
export interface PromptReader {
  readonly label: string;
  readonly tokenizer: Tokenizer;
  readonly template?: ChatTemplate;
  readonly training?: RowPrompt;
  /** The system message where messages begin with none; `false`: none. Default: training's, where all of its rows had the same. */
  readonly system?: string | false;
  readonly vocabSize: number;
  /** Tokens of a prompt and its answer, at most. */
  readonly contextTokens: number;
}

/**
 * The tokens of a prompt: messages as training's rows had them, a text after the token that the tokenizer begins texts with.
 * Throws a `UserError` for what the model cannot be asked.
 */
export function servedIds(prompt: CompletionPrompt, reader: PromptReader): Int32Array {
  const { label, tokenizer, vocabSize, contextTokens } = reader;
  const isToken = (id: number): boolean => Number.isInteger(id) && id >= 0 && id < vocabSize;
  const foreign = 'tokens' in prompt ? prompt.tokens.find((id) => !isToken(id)) : undefined;
  if (foreign !== undefined) throw unknownTokenId(label, foreign, vocabSize);
  const ids = idsOf(prompt, { ...reader, tokenizer: bounded(reader) });
  if (ids.length === 0) throw emptyPrompt(label);
  checkPrompt(label, ids, tokenizer, { maxPositions: contextTokens, vocabSize }, undefined);
  return ids;
}

/** Characters of a text, for each token that there may be, that are looked at before the others. */
const FIRST_CHARACTERS = 16;
/** Tokens of a beginning, for each that there may be, after which the whole is too long, however it goes on. */
const SURELY_TOO_MANY = 2;

/**
 * Does not read a text to its end of which the beginning alone is too long: megabytes would take seconds, and others
 * would wait.
 */
function bounded({ label, tokenizer, contextTokens }: PromptReader): Tokenizer {
  return {
    ...tokenizer,
    encode(text, known) {
      for (let size = FIRST_CHARACTERS * contextTokens; size < text.length; size *= 2) {
        const { length } = tokenizer.encode(text.slice(0, size));
        if (length > SURELY_TOO_MANY * contextTokens)
          throw promptTooLong(label, length, contextTokens, undefined, true);
      }
      return tokenizer.encode(text, known);
    },
  };
}

function idsOf(prompt: CompletionPrompt, reader: PromptReader): Int32Array {
  const { label, tokenizer, template, training, system = systemOf(training) } = reader;
  if ('tokens' in prompt) return Int32Array.from(prompt.tokens);
  if ('text' in prompt) return promptIds(prompt.text, tokenizer, template);
  const { messages, tools = [] } = prompt;
  const [first, ...others] = messages;
  // as the rows of training were: a text that the answer continues
  if (training?.style === 'text' && first?.role === 'user' && others.length === 0 && tools.length === 0)
    return promptIds(first.content, tokenizer, template);
  if (template === undefined) throw noTemplate(label);
  if (tools.length > 0 && !writesTools(template)) throw noTools(label);
  const whole = withSystem(messages.map(readable), system === false ? undefined : system);
  try {
    return promptIds(whole, tokenizer, template, tools);
  } catch (error) {
    throw error instanceof ModelError ? refusedMessages(label, error.detail) : error;
  }
}

/** Templates read the arguments of a call as an object, where OpenAI's API has its text. */
function readable(message: ChatMessage): ChatMessage {
  const { tool_calls: calls } = message;
  return calls === undefined ? message : { ...message, tool_calls: calls.map(withArguments) };
}

function withArguments(call: Json): Json {
  const { function: called } = call;
  if (!isJson(called) || typeof called['arguments'] !== 'string') return call;
  return { ...call, function: { ...called, arguments: argumentsOf(called['arguments']) } };
}
