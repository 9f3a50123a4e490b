/** What the server tells about each request, for metrics, the journal and the dashboard. */
import type { ServedRelease } from './router.js';

export type Endpoint = 'chat' | 'completions';

export interface RequestStart {
  /** As the client was told it, such as `chatcmpl-…`: feedback names it. */
  readonly id: string;
  readonly endpoint: Endpoint;
}

/** `abort`: the client went; `error`: the server or the model failed, or refused. */
export type EndReason = 'stop' | 'length' | 'tool_calls' | 'abort' | 'timeout' | 'error';

export interface RequestEnd {
  readonly id: string;
  readonly endpoint: Endpoint;
  /** Left out where the request was refused before it had a model. */
  readonly release?: ServedRelease;
  /** HTTP status; 499 for a client that went. */
  readonly status: number;
  readonly reason: EndReason;
  /** OpenAI's `error.code` or `error.type`, of a request that failed. */
  readonly errorCode?: string;
  /** Whose request it was, as the router was told: kept only as the number of a group of users. */
  readonly user?: string;
  readonly streamed: boolean;
  readonly promptTokens: number;
  /** Of these, the ones whose keys and values were there already. */
  readonly cachedTokens: number;
  readonly answerTokens: number;
  /** From the request until its model began with it. */
  readonly queueSeconds: number;
  /** From the request until the first piece of text; left out where there was none. */
  readonly firstTokenSeconds?: number;
  readonly seconds: number;
  /** Texts of the answers: their repetition and refusals are counted; they are written down only if prompts are. */
  readonly answers?: readonly string[];
  /** Messages or text as the client sent them; written down only if the server was asked to. */
  readonly prompt?: unknown;
}

export interface Feedback {
  /** Of the request. */
  readonly id: string;
  readonly thumbs: 'up' | 'down';
  readonly reason?: string;
}

/** `changed`: there was another opinion of this request, which it replaces. */
export type FeedbackResult = 'taken' | 'same' | 'changed' | 'unknown_id';

export interface Observer {
  started(request: RequestStart): void;
  /** Once per request that was started, and per request that was refused before. */
  finished(request: RequestEnd): void;
  feedback(feedback: Feedback): FeedbackResult;
  /** Writes what is still in memory. */
  close(): Promise<void>;
}
