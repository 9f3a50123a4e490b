/** What answers requests, many at once: an engine takes them as they come and gives each its answer piece by piece. */
import type { Json } from '../../language/host/json.js';
import type { DrawSettings } from '../evaluation/generation/settings.js';
import type { ChatMessage } from '../models/types.js';
import type { ToolStyle } from './tool-calls.js';

export interface ServingInfo {
  /** What it was opened from, for people. */
  readonly label: string;
  readonly engine: 'embedded' | 'llama.cpp' | 'accelerate';
  /** Tokens of a prompt and its answer together, at most. */
  readonly contextTokens: number;
  /** Has a chat template. */
  readonly chats: boolean;
  /** Its chat template writes tools. */
  readonly tools: boolean;
  /** How it then writes calls. */
  readonly toolStyle?: ToolStyle;
  /** Sequences at most in one batch. */
  readonly rows: number;
  /** Bytes that are planned for the process: weights, caches, and what it takes besides. */
  readonly memory: number;
}

/** Messages that the chat template writes, or a text or tokens to be continued. */
export type CompletionPrompt =
  | {
      readonly messages: readonly ChatMessage[];
      /** As OpenAI's API describes functions. */
      readonly tools?: readonly Json[];
    }
  | { readonly text: string }
  /** Token ids, which nothing is put before. */
  | { readonly tokens: readonly number[] };

export type AnswerFormat =
  | { readonly type: 'json_object' }
  /** `schema`: a JSON Schema. */
  | { readonly type: 'json_schema'; readonly schema: unknown };

interface Penalties {
  /** As transformers': above 1 discourages tokens of the prompt and the answer so far. */
  readonly repetition?: number;
  /** As OpenAI's: taken once from the logit of each token that the answer has. */
  readonly presence?: number;
  /** As OpenAI's: taken as often as the answer has the token. */
  readonly frequency?: number;
}

export interface CompletionRequest {
  readonly prompt: CompletionPrompt;
  /** Default: what the prompt leaves of the context. */
  readonly maxTokens?: number;
  readonly draw: DrawSettings;
  /** Number of this answer's draws, for several answers to one prompt. Default 0. */
  readonly stream?: number;
  readonly penalties?: Penalties;
  /** What is added to the logits of these token ids. */
  readonly bias?: Readonly<Record<number, number>>;
  /** Texts that end the answer and are not part of it. */
  readonly stop: readonly string[];
  /** Alternatives per token, 0 to 20; left out, there are no log-probabilities. */
  readonly logprobs?: number;
  readonly format?: AnswerFormat;
  /**
   * The answer begins with the prompt: its tokens come first, in a piece of their own, with log-probabilities where they
   * are asked for. That of the first token, which nothing comes before, is NaN.
   */
  readonly echo?: boolean;
}

export interface TokenAlternative {
  readonly id: number;
  readonly text: string;
  /** UTF-8; half a character where the token ends within one. */
  readonly bytes: readonly number[];
  /** Natural logarithm of the softmax of the model's own logits: before temperature, penalties and bias. */
  readonly logprob: number;
}

export interface TokenLogprob extends TokenAlternative {
  /** The likeliest tokens, the likeliest first. */
  readonly top: readonly TokenAlternative[];
}

export type CompletionPiece =
  | { readonly type: 'start'; readonly promptTokens: number; readonly cachedTokens: number }
  /** `text` is never half a character, nor what may still become a stop text; it may be empty. */
  | {
      readonly type: 'text';
      readonly text: string;
      readonly tokens: readonly number[];
      /** Of each token. */
      readonly logprobs?: readonly TokenLogprob[];
    }
  | {
      readonly type: 'end';
      readonly reason: 'stop' | 'length';
      readonly promptTokens: number;
      readonly answerTokens: number;
      /** From the first token of the prompt that was computed to the last of the answer. */
      readonly seconds: number;
    };

export interface ServingLoad {
  readonly running: number;
  readonly waiting: number;
  /** Tokens whose keys and values are held, those of finished prompts included. */
  readonly cacheTokens: number;
  /** Requests, since it was opened. */
  readonly answered: number;
  readonly generatedTokens: number;
}

export interface ServingEngine {
  readonly info: ServingInfo;
  /**
   * Joins the running batch when there is a place; waits without bound until then. Ends when `signal` aborts, by throwing its
   * reason. Throws a `UserError` before the first piece for a prompt that is too long, messages without a chat template, or a
   * format that it cannot keep to.
   */
  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<CompletionPiece>;
  load(): ServingLoad;
  /** Token ids of a prompt as {@link complete} reads it. */
  tokensOf(prompt: CompletionPrompt): Promise<readonly number[]>;
  close(): Promise<void>;
}
