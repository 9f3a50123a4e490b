/** Files and pages over HTTP: a file continues where an earlier try ended, and counts only with the right digest. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, ftruncateSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fetchedOther, fetchFailed } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard } from '../../language/host/own-files.js';
import { request, TransientError } from '../../pipeline/hub/request.js';
import { writeAll } from '../../pipeline/store/durable.js';
import { writing } from '../../pipeline/store/index.js';

export interface Remote {
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
  /** SHA-256 in hexadecimal digits. */
  readonly sha256: string;
}

/** Milliseconds without a byte after which a request counts as lost. */
const PATIENCE = 30_000;
/** Milliseconds before each further try. */
const PAUSES = [500, 2_000, 5_000];
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

async function ask(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal) {
  const access = { endpoint: url.origin, offline: false, patience: PATIENCE, pauses: PAUSES, signal };
  const answer = await request(access, `${url.pathname}${url.search}`, headers);
  const { status, ok } = answer.response;
  if (ok || status === 416) return answer;
  answer.close();
  if (PASSING.has(status)) throw new TransientError(`status ${status}`, false);
  throw new UserError(fetchFailed(shown(url), `status ${status}`));
}

/** An address for people: a mirror's may hold a password, or a signature. */
export const shown = (url: URL): string => `${url.origin}${url.pathname}`;

/** Tries again where a fault may pass; a try that got further does not count. Throws a `UserError`, or the signal's reason. */
async function patiently<T>(
  url: URL,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  size: () => number = () => 0,
  pauses: readonly number[] = PAUSES,
): Promise<T> {
  let most = size();
  for (let failures = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      // a file that begins again and again, as one that is shorter than its index says, gets no further
      if (size() > most) failures = 0;
      most = Math.max(most, size());
      const pause = pauses[failures++];
      if (pause === undefined) throw new UserError(fetchFailed(shown(url), error.detail));
      await sleep(pause, undefined, { signal });
    }
  }
}

/** The name and password in a mirror's address, as pip sends them. */
function credentials({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '') return {};
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(plain).toString('base64')}` };
}

/** A page as text. */
export async function fetchText(
  address: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const url = new URL(address);
  return patiently(url, signal, async () => {
    const pieces: Uint8Array[] = [];
    for await (const piece of (await ask(url, { ...headers, ...credentials(url) }, signal)).body())
      pieces.push(piece);
    return Buffer.concat(pieces).toString('utf8');
  });
}

/**
 * Writes a file to `path`, whole, unless it is there already. `progress` is told of each piece how many bytes are
 * there; `pauses` are the milliseconds before each further try.
 */
export async function fetchFile(
  remote: Remote,
  path: string,
  signal: AbortSignal,
  progress: (bytes: number) => void,
  pauses: readonly number[] = PAUSES,
): Promise<void> {
  const sizeOf = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  writing(path, undefined, () => makeFolders(dirname(path)));
  // what an earlier run left may be damaged: then it is fetched from its start, once
  for (let left = sizeOf() > 0; ; left = false) {
    const url = new URL(remote.url);
    await patiently(url, signal, () => fill(remote, url, path, signal, progress), sizeOf, pauses);
    const found = await digestOf(path);
    if (found === remote.sha256) return;
    discard(path);
    if (!left)
      throw new UserError(
        fetchedOther(remote.name, `its digest is ${found.slice(0, 12)}…, not ${remote.sha256.slice(0, 12)}…`),
      );
  }
}

/** Asks for what is missing of a file, and writes it as it comes. */
async function fill(
  { bytes }: Remote,
  url: URL,
  path: string,
  signal: AbortSignal,
  progress: (bytes: number) => void,
): Promise<void> {
  const file = writing(path, undefined, () => openSync(path, 'a'));
  try {
    let have = statSync(path).size;
    if (have === bytes) return;
    if (have > bytes) {
      ftruncateSync(file, 0);
      have = 0;
    }
    const answer = await ask(url, have > 0 ? { range: `bytes=${have}-` } : {}, signal);
    const goesOn = answer.response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
    if (answer.response.status === 416 || (have > 0 && !goesOn)) {
      ftruncateSync(file, 0);
      have = 0;
    }
    if (answer.response.status === 416) {
      answer.close();
      throw new TransientError('the server does not have that part of the file', false);
    }
    for await (const piece of answer.body()) {
      writing(path, undefined, () => writeAll(file, piece));
      have += piece.length;
      progress(have);
      if (have > bytes) break;
    }
    if (have < bytes)
      throw new TransientError(`the server closed the connection after ${have} of ${bytes} bytes`, false);
  } finally {
    closeSync(file);
  }
}

/** SHA-256 of a file in hexadecimal digits. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
