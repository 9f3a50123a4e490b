/**
 * An Ollama to publish to, as its sources have it (`server/routes.go`, `server/create.go`): blobs by digest, models
 * that are made of them.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface CreateRequest {
  readonly model: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly adapters?: Readonly<Record<string, string>>;
  readonly template?: string;
  readonly system?: string;
  readonly parameters?: Readonly<Record<string, number | readonly string[]>>;
}

export interface MadeModel extends CreateRequest {
  readonly digest: string;
}

/** What goes wrong; `true` when it has answered. */
export type Trouble = (call: string, response: ServerResponse) => boolean;

export interface FakeOllama {
  readonly endpoint: string;
  readonly blobs: Map<string, Buffer>;
  readonly models: Map<string, MadeModel>;
  /** `POST /api/…` */
  readonly calls: string[];
  /** Bodies of `/api/chat` and `/api/generate`. */
  readonly asked: unknown[];
  trouble: Trouble;
  /** What every model answers. */
  answer: string;
  close(): Promise<void>;
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

export async function fakeOllama(): Promise<FakeOllama> {
  const ollama: { -readonly [K in keyof FakeOllama]: FakeOllama[K] } = {
    endpoint: '',
    blobs: new Map(),
    models: new Map(),
    calls: [],
    asked: [],
    trouble: () => false,
    answer: 'Yes.',
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => void serve(ollama, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ollama.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return ollama;
}

async function serve(ollama: FakeOllama, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of request) pieces.push(piece as Buffer);
  } catch {
    return; // the client has gone
  }
  const call = `${request.method} ${request.url}`;
  ollama.calls.push(call);
  if (ollama.trouble(call, response)) return;
  const body = Buffer.concat(pieces);
  const blob = /^(HEAD|POST) \/api\/blobs\/sha256:([0-9a-f]{64})$/.exec(call);
  if (blob !== null) return void answerBlob(ollama, response, blob[1] ?? '', blob[2] ?? '', body);
  const answer = ANSWERS[call];
  if (answer === undefined) refuse(response, 404, `no route ${call}`);
  else answer(ollama, response, JSON.parse(body.length === 0 ? '{}' : body.toString('utf8')) as never);
}

export const refuse = (response: ServerResponse, status: number, error: string): true => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
  return true;
};

const json = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};

function answerBlob(
  { blobs }: FakeOllama,
  response: ServerResponse,
  method: string,
  digest: string,
  body: Buffer,
): void {
  if (method === 'HEAD') return void response.writeHead(blobs.has(digest) ? 200 : 404).end();
  if (sha256(body) !== digest)
    return void refuse(
      response,
      400,
      `digest mismatch, expected "sha256:${digest}", got "sha256:${sha256(body)}"`,
    );
  blobs.set(digest, body);
  response.writeHead(201).end();
}

const full = (name: string): string => (name.includes(':') ? name : `${name}:latest`);

type Answer = (ollama: FakeOllama, response: ServerResponse, body: never) => void;

const ANSWERS: Readonly<Record<string, Answer>> = {
  'GET /api/tags': ({ models }, response) =>
    json(response, {
      models: [...models].map(([name, { digest }]) => ({ name, model: name, digest, size: 1 })),
    }),
  'POST /api/create': create,
  'POST /api/show': ({ models }, response, { model }: { readonly model: string }) => {
    const found = models.get(full(model));
    if (found === undefined) return void refuse(response, 404, `model '${model}' not found`);
    const { template, system, parameters = {} } = found;
    const lines = Object.entries(parameters).flatMap(([name, value]) =>
      (typeof value === 'number' ? [value] : value).map(
        (each) => `${name.padEnd(30)} ${typeof each === 'string' ? JSON.stringify(each) : each}`,
      ),
    );
    json(response, {
      template,
      ...(system && { system }),
      parameters: lines.join('\n'),
      details: {},
      model_info: {},
    });
  },
  'POST /api/chat': (ollama, response, body) => {
    ollama.asked.push(body);
    json(response, { message: { role: 'assistant', content: ollama.answer }, done: true });
  },
  'POST /api/generate': (ollama, response, body) => {
    ollama.asked.push(body);
    json(response, { response: ollama.answer, done: true });
  },
};

function create({ blobs, models }: FakeOllama, response: ServerResponse, request: CreateRequest): void {
  const { model, files = {}, adapters = {} } = request;
  const named = { ...files, ...adapters };
  if (Object.keys(files).length === 0)
    return void refuse(response, 400, "neither 'from' or 'files' was specified");
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const say = (value: unknown): void => void response.write(`${JSON.stringify(value)}\n`);
  const lost = Object.values(named).find((digest) => !blobs.has(digest.replace('sha256:', '')));
  if (lost !== undefined) {
    say({ error: `open blobs/${lost}: no such file or directory` });
    return void response.end();
  }
  say({
    status: Object.keys(files).some((name) => name.endsWith('.gguf')) ? 'parsing GGUF' : 'converting model',
  });
  say({ status: 'writing manifest' });
  models.set(full(model), { ...request, digest: sha256(JSON.stringify({ ...request, model: '' })) });
  say({ status: 'success' });
  response.end();
}
