/** A model that answers without computing, and a server around it, for tests of everything but numbers. */
import type { FastifyInstance } from 'fastify';
import type { CompletionPiece, CompletionRequest, ServingInfo } from '../../src/compute/serving/types.js';
import { admission } from '../../src/pipeline/serve/http/admission.js';
import { createServer, type ServerOptions } from '../../src/pipeline/serve/http/server.js';
import type { ServedModel } from '../../src/pipeline/serve/model.js';
import type { Feedback, Observer, RequestEnd, RequestStart } from '../../src/pipeline/serve/observer.js';
import type { Router } from '../../src/pipeline/serve/router.js';

type Complete = (request: CompletionRequest, signal: AbortSignal) => AsyncIterable<CompletionPiece>;

const INFO: ServingInfo = {
  ...{
    label: 'fake',
    engine: 'embedded',
    contextTokens: 1000,
    chats: true,
    tools: true,
    toolStyle: 'hermes',
  },
  ...{ rows: 4, memory: 1e6 },
};

const LOAD = { running: 0, waiting: 0, cacheTokens: 0, answered: 0, generatedTokens: 0 };

/** Answers with these pieces of text, each one token, with log-probabilities where they are asked for. */
export const saying = (...texts: readonly string[]): Complete =>
  async function* ({ logprobs, maxTokens }) {
    yield { type: 'start', promptTokens: 7, cachedTokens: 2 };
    const said = texts.slice(0, maxTokens);
    for (const text of said)
      yield {
        ...{ type: 'text', text, tokens: [1] },
        ...(logprobs !== undefined && { logprobs: [logprobOf(text, logprobs)] }),
      };
    const reason = said.length < texts.length ? 'length' : 'stop';
    yield { type: 'end', reason, promptTokens: 7, answerTokens: said.length, seconds: 0 };
  };

function logprobOf(text: string, alternatives: number) {
  const token = { id: 1, text, bytes: [...Buffer.from(text)], logprob: -0.5 };
  return { ...token, top: Array.from({ length: alternatives }, (_, at) => ({ ...token, id: at })) };
}

/** Answers nothing until it is aborted; `seen` is called with the reason. */
export const silent = (seen: (reason: unknown) => void = () => {}): Complete =>
  async function* (_, signal) {
    yield { type: 'start', promptTokens: 7, cachedTokens: 0 };
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    seen(signal.reason);
    throw signal.reason;
  };

export const fakeModel = (complete: Complete, info: Partial<ServingInfo> = {}): ServedModel => ({
  info: { ...INFO, ...info },
  up: true,
  complete,
  load: () => LOAD,
  tokensOf: async (prompt) => ('text' in prompt ? [...prompt.text].map((_, at) => at) : [1, 2, 3]),
  close: async () => {},
});

export interface Told extends Observer {
  readonly starts: readonly RequestStart[];
  readonly ends: readonly RequestEnd[];
}

export function listening(): Told {
  const starts: RequestStart[] = [];
  const ends: RequestEnd[] = [];
  return {
    ...{ starts, ends },
    started: (start) => void starts.push(start),
    finished: (end) => void ends.push(end),
    feedback: (_: Feedback) => 'taken',
    close: async () => {},
  };
}

/** Sends everything to one model. */
export function routerTo(model: ServedModel): Router<ServedModel> & { readonly open: () => number } {
  let open = 0;
  const release = { number: 3, role: 'current' } as const;
  return {
    route: async () => {
      open++;
      let isOpen = true;
      const done = (): void => {
        if (isOpen) open--;
        isOpen = false;
      };
      return { model, release, done };
    },
    releases: () => [],
    ready: () => true,
    close: async () => {},
    open: () => open,
  };
}

export interface FakeServer {
  readonly app: FastifyInstance;
  readonly told: Told;
  readonly router: ReturnType<typeof routerTo>;
  readonly bugs: readonly unknown[];
  /** Posts JSON. */
  post(
    url: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string; json: () => Answer }>;
}

/** The bodies of answers, as loosely as a test looks at them. */
export type Answer = { readonly [name: string]: Answer } & readonly Answer[];

/** A server that does not listen yet. */
export function fakeServer(
  model: ServedModel,
  options: Partial<ServerOptions> & { readonly queue?: number } = {},
): FakeServer {
  const told = listening();
  const router = routerTo(model);
  const bugs: unknown[] = [];
  const app = createServer({
    ...{
      router,
      observer: told,
      admission: admission(options.queue ?? 2),
      model: 'fake',
      timeoutSeconds: 60,
    },
    ...{ keys: [], origins: [], bodyBytes: 100_000, created: 1 },
    defaults: { temperature: 1, seed: () => 5 },
    failed: (error) => void bugs.push(error),
    ...options,
  });
  return {
    ...{ app, told, router, bugs },
    post: async (url, body, headers = {}) => {
      const response = await app.inject({
        method: 'POST',
        url,
        headers: { 'content-type': 'application/json', ...headers },
        payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      });
      return {
        status: response.statusCode,
        headers: response.headers,
        body: response.body,
        json: () => JSON.parse(response.body) as Answer,
      };
    },
  };
}
