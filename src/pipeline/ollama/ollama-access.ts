/** Where Ollama is, and requests to it: https://docs.ollama.com/api */
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { isJson, type Json } from '../../language/host/json.js';
import type { HubAccess } from '../hub/access.js';
import { textOf } from '../hub/listing.js';
import {
  type Answer,
  oneLine,
  PASSING,
  request,
  retrying,
  type Sending,
  TransientError,
  waitOf,
} from '../hub/request.js';
import { ollamaAway } from './ollama-diagnostics.js';

/** Milliseconds: a model is read from the disk and converted before the next word is said. Node itself waits no longer. */
const PATIENCE = 300_000;
const LOOKUP = 30_000;
/** Milliseconds after which it is said that it is waited for. */
const QUIET = 5_000;
const PAUSES = [300, 1_000, 3_000];

export interface OllamaAccess extends HubAccess {
  /** Milliseconds for what it only has to look up: who is silent then is no Ollama, or hangs. */
  readonly lookup: number;
}

/** As Ollama's own programs read `OLLAMA_HOST`: scheme, host, port and path may each be left out. */
export function ollamaAccess(
  { env, waiting }: Pick<Host, 'env' | 'waiting'>,
  signal?: AbortSignal,
): OllamaAccess {
  const endpoint = endpointOf(env('OLLAMA_HOST')?.trim() ?? '');
  return {
    endpoint,
    offline: false,
    patience: PATIENCE,
    lookup: LOOKUP,
    quiet: QUIET,
    pauses: PAUSES,
    lost: (detail) => ollamaAway(endpoint, detail),
    late: (wait, detail) => ollamaAway(endpoint, `${detail}: it asks to be asked again in ${wait}`),
    ...(waiting && { waiting }),
    ...(signal && { signal }),
  };
}

const PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

function endpointOf(text: string): string {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*)$/.exec(text) ?? [];
  const [place = '', ...path] = rest.replace(/\/+$/, '').split('/');
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(place) ?? [];
  // a server listens there on every address, and is asked at this one
  const asked = host === '' || host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host;
  const address = `${scheme ?? 'http'}://${asked}:${port ?? PORTS[scheme ?? ''] ?? '11434'}`;
  return [URL.canParse(address) ? address : 'http://127.0.0.1:11434', ...path].join('/');
}

/** What a refusal means: before the model is made, the one of before is as it was; afterwards it is not. */
export type Refused = (said: string) => Diagnostic;

interface Question {
  readonly path: string;
  readonly sending?: Sending;
  /** What is no failure. */
  readonly accepts?: readonly number[];
}

/** Asks, again where a fault may pass; the answer as text. Throws a `UserError`. */
export async function ask(
  access: OllamaAccess,
  refused: Refused,
  question: Question,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    return await retrying(access, () => askOnce(access, refused, question));
  } catch (error) {
    // what no Hub would say is here what no Ollama would say
    if (error instanceof UserError && error.diagnostic.code === 'FTP1409')
      throw new UserError(refused(error.diagnostic.message));
    throw error;
  }
}

async function askOnce(access: OllamaAccess, refused: Refused, { path, sending, accepts = [] }: Question) {
  const isLookup = sending === undefined || sending.method === 'HEAD';
  const patience = isLookup ? access.lookup : access.patience;
  const answer = await request(
    { ...access, patience },
    path,
    { 'content-type': 'application/json' },
    sending,
  );
  const { status, ok, headers } = answer.response;
  if (PASSING.has(status) && status !== 500) {
    answer.close();
    throw new TransientError(`status ${status}`, false, waitOf(headers));
  }
  const text = await bodyOf(answer, path);
  if (!ok && !accepts.includes(status)) throw new UserError(refused(errorIn(text) ?? `status ${status}`));
  return { status, text };
}

const bodyOf = (answer: Answer, path: string): Promise<string> => orEmpty(textOf(answer.body(), path));

/** A body that may be empty. */
export async function orEmpty(text: Promise<string>): Promise<string> {
  try {
    return await text;
  } catch (error) {
    if (error instanceof TransientError && error.detail === 'an empty answer') return '';
    throw error;
  }
}

export const posting = (body: Json): Sending => {
  const bytes = Buffer.from(JSON.stringify(body), 'utf8');
  return { method: 'POST', bytes: bytes.length, body: () => [bytes] };
};

/** An answer in JSON. Throws a `UserError` for another. */
export async function askJson(
  access: OllamaAccess,
  refused: Refused,
  path: string,
  body?: Json,
): Promise<Json> {
  const { text } = await ask(access, refused, { path, ...(body && { sending: posting(body) }) });
  const answer = jsonIn(text);
  if (answer === undefined) throw new UserError(refused(`its answer to ${path} is no JSON`));
  return answer;
}

export function jsonIn(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What it says is wrong. */
export function errorIn(text: string): string | undefined {
  const said = jsonIn(text)?.['error'];
  return typeof said === 'string' ? oneLine(said) : undefined;
}
