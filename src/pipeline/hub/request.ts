/** One HTTP request: redirects followed by hand, a token that stays at home, and a limit on silence. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  asksToWait,
  badAnswer,
  failedAnswer,
  noAccess,
  notOnHub,
  unreachable,
} from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Repository } from '../../language/schemas/repositories.js';
import type { HubAccess } from './access.js';

/** A fault that may pass: the next try may succeed. */
export class TransientError extends Error {
  override readonly name = 'Transient';
  constructor(
    readonly detail: string,
    /** No connection at all: trying for long is no use. */
    readonly unreachable: boolean,
    /** Milliseconds after which the server asks for another request. */
    readonly after = 0,
    /** It came too slowly: what came counts as nothing. */
    readonly slow = false,
  ) {
    super(detail);
  }
}

export interface Answer {
  readonly response: Response;
  /** Where the redirects led, without what may be a signature. */
  readonly url: string;
  /** Pieces of the body as they come. Throws a {@link TransientError} if the server falls silent or hangs up. */
  body(): AsyncIterable<Uint8Array>;
  /** Hangs up. */
  close(): void;
}

const MOST_REDIRECTS = 8;

/** What is sent besides headers. It is asked for again where a redirect or another try needs it. */
export interface Sending {
  readonly method: 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly bytes?: number;
  body?(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * `path`: after the endpoint, or a whole address. What is sent goes to no other server than the one that was named.
 * Offline nobody calls it; that would be a bug. Throws a {@link TransientError}, a `UserError` for what no retry fixes, or the signal's reason. */
export async function request(
  access: HubAccess,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  sending?: Sending,
): Promise<Answer> {
  if (access.offline) throw new Error('a request to the Hub while offline');
  const home = new URL(access.endpoint).origin;
  const { authorization, ...open } = headers;
  let url = new URL(path.startsWith('/') ? access.endpoint + path : path);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    // A CDN gets no token: its own address says what it may hand out.
    const token = url.origin === home && access.token !== undefined;
    const answer = await once(
      access,
      url,
      {
        'accept-encoding': 'identity',
        'user-agent': 'ftpc',
        ...open,
        ...(url.origin === home && authorization !== undefined ? { authorization } : {}),
        ...(token ? { authorization: `Bearer ${access.token}` } : {}),
      },
      sending,
    );
    const { status } = answer.response;
    const location = answer.response.headers.get('location');
    if (![301, 302, 303, 307, 308].includes(status) || location === null) return answer;
    answer.close();
    const to = next(url, location);
    if (sending !== undefined && (to.origin !== url.origin || ![307, 308].includes(status)))
      throw new UserError(badAnswer(shown(url), 'it redirects what is sent to it to another server'));
    url = to;
  }
  throw new UserError(badAnswer(shown(url), `it was redirected more than ${MOST_REDIRECTS} times`));
}

function next(from: URL, location: string): URL {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  const isSafe = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.protocol === 'http:');
  if (to === undefined || !isSafe || to.username !== '' || to.password !== '')
    throw new UserError(badAnswer(shown(from), 'it redirects to an invalid or unencrypted address'));
  return to;
}

/** An address for people: what is after `?` may be a signature. */
const shown = (url: URL): string => `${url.origin}${url.pathname}`;

async function once(
  access: HubAccess,
  url: URL,
  headers: Readonly<Record<string, string>>,
  sending?: Sending,
): Promise<Answer> {
  const silence = new AbortController();
  const stop = (): void => silence.abort(access.signal?.reason);
  access.signal?.addEventListener('abort', stop, { once: true });
  if (access.signal?.aborted === true) stop();
  let timer: NodeJS.Timeout | undefined;
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), access.patience);
  };
  const close = (): void => {
    clearTimeout(slow);
    clearTimeout(timer);
    access.signal?.removeEventListener('abort', stop);
    silence.abort();
  };
  const fail = (error: unknown): unknown => {
    close();
    return access.signal?.aborted === true ? access.signal.reason : transient(error, url, access.patience);
  };
  const slow = setTimeout(() => access.waiting?.({ server: url.host }), access.quiet ?? access.patience);
  listen();
  try {
    const sent = sending === undefined ? {} : sentBy(sending, headers, listen);
    const response = await fetch(url, { headers, ...sent, redirect: 'manual', signal: silence.signal });
    listen();
    return {
      response,
      url: shown(url),
      body: () => pieces(paced(response, access, url), listen, close, fail),
      close,
    };
  } catch (error) {
    throw fail(error);
  }
}

/** What `fetch` is told; each piece that the server takes is a sign that it listens. */
function sentBy(
  { method, bytes, body }: Sending,
  headers: Readonly<Record<string, string>>,
  listen: () => void,
): RequestInit {
  if (body === undefined) return { method };
  async function* heard(pieces: ReturnType<NonNullable<Sending['body']>>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      listen();
      yield piece;
    }
  }
  const length: Readonly<Record<string, string>> =
    bytes === undefined ? {} : { 'content-length': String(bytes) };
  const whole = { method, headers: { ...headers, ...length }, body: heard(body()), duplex: 'half' as const };
  return whole as RequestInit;
}

/** The pieces of a body, as long as they come fast enough. Throws a {@link TransientError}. */
async function* paced(response: Response, { pace }: HubAccess, url: URL): AsyncIterable<Uint8Array> {
  let since = pace?.clock() ?? 0;
  let bytes = 0;
  for await (const piece of response.body ?? []) {
    yield piece;
    if (pace === undefined) continue;
    bytes += piece.length;
    if (pace.clock() - since < pace.window) continue;
    if (bytes < pace.bytes)
      throw new TransientError(`${url.host} sent ${bytes} bytes in ${pace.window / 1000} s`, false, 0, true);
    since = pace.clock();
    bytes = 0;
  }
}

async function* pieces(
  body: AsyncIterable<Uint8Array>,
  listen: () => void,
  close: () => void,
  fail: (error: unknown) => unknown,
): AsyncIterable<Uint8Array> {
  try {
    for await (const piece of body) {
      listen();
      yield piece;
    }
  } catch (error) {
    throw fail(error);
  } finally {
    close();
  }
}

/** Codes of the system for a server that is not there, as opposed to one that hangs up. */
const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|CERT|ERR_TLS/;

/** Only what the system says about a failure is shown: messages of others may quote a header or an address. */
function transient(error: unknown, url: URL, patience: number): TransientError {
  if (error instanceof TransientError) return error;
  if (error instanceof Error && error.name === 'AbortError')
    return new TransientError(`${url.host} did not respond for ${patience / 1000} s`, false);
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  const code = cause?.code ?? '';
  return new TransientError(`${url.host}: ${code || 'the connection broke'}`, UNREACHABLE.test(code));
}

/** Statuses that may pass. */
export const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Throws a {@link TransientError} or a `UserError`; the Hub says in a header which of several things a status means. */
export function failOn(answer: Answer, repository: Repository, access: HubAccess, file?: string): never {
  const { status, headers } = answer.response;
  answer.close();
  // The address that the Hub gives for large files is good for a while only; the next try asks for another.
  const isElsewhere = new URL(answer.url).origin !== new URL(access.endpoint).origin;
  if (isElsewhere && status === 403) throw new TransientError('the storage of the Hub refused', false);
  if (PASSING.has(status)) throw new TransientError(`status ${status}`, false, waitOf(headers));
  const meaning = headers.get('x-error-code') ?? '';
  const gated = meaning === 'GatedRepo';
  // The Hub hides what a caller may not see: a private repository is “not found” or 401 for the rest.
  if (status === 401 || status === 403)
    throw new UserError(noAccess(repository, { gated, withToken: access.token !== undefined }));
  if (status === 404) throw new UserError(notOnHub(repository, what(meaning, file)));
  throw new UserError(failedAnswer(repository, `status ${status}`));
}

function what(
  meaning: string,
  file: string | undefined,
): 'repository' | 'revision' | { readonly file: string } {
  if (meaning === 'RevisionNotFound') return 'revision';
  return file === undefined || meaning === 'RepoNotFound' ? 'repository' : { file };
}

const MOST_SAID = 300;

/** What a server says, as a part of a message. */
export const oneLine = (said: string): string => said.replace(/\p{Cc}+/gu, ' ').slice(0, MOST_SAID);

/** `Retry-After` in milliseconds; it is seconds, or a date by the server's own clock. */
export function waitOf(headers: Headers): number {
  const said = headers.get('retry-after') ?? '';
  const wait = /^\s*\d/.test(said)
    ? Number(said) * 1000
    : Date.parse(said) - Date.parse(headers.get('date') ?? '');
  return Number.isFinite(wait) && wait > 0 ? wait : 0;
}

/** Milliseconds: the longest that a server may ask to be waited for. */
const LONGEST = 300_000;
/** Minutes that are told one by one. */
const DAY = 1440;

/** Milliseconds that nobody waits for in silence, in words. */
const inWords = (milliseconds: number): string => {
  const minutes = Math.ceil(milliseconds / 60_000);
  return minutes > DAY ? 'more than a day' : `${minutes} minutes`;
};

/**
 * Tries again where a fault may pass, with growing pauses. `progressed` tells whether the last try got further: such a
 * try does not count, so that a long download over a poor line ends. Throws a `UserError` for what stays.
 */
export async function retrying<T>(
  access: HubAccess,
  attempt: () => Promise<T>,
  progressed: () => boolean = () => false,
): Promise<T> {
  const lost = access.lost ?? ((detail: string) => unreachable(access.endpoint, detail));
  const late = access.late ?? ((wait, detail) => asksToWait(access.endpoint, wait, detail));
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      if (error.after > LONGEST) throw new UserError(late(inWords(error.after), error.detail));
      if (progressed() && !error.slow) failures = 0;
      const pause = access.pauses[failures++];
      const isLost = pause === undefined || (error.unreachable && failures > 1);
      if (isLost) throw new UserError(lost(error.detail));
      if (error.after > pause)
        access.waiting?.({ server: new URL(access.endpoint).host, pause: error.after });
      await sleep(Math.max(pause, error.after), undefined, { signal: access.signal });
    }
  }
}
