/** One file into the cache: continues where an earlier try ended, checks size and digest, and shows the file only then. */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { offlineMissing, wrongContent } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import type { HubFile, PinnedRepository } from '../../language/ir/program.js';
import { readParts } from '../store/digest.js';
import { syncFile, syncFolder, writeAll } from '../store/durable.js';
import { writing } from '../store/index.js';
import type { HubAccess } from './access.js';
import { blobPath, isPresent, showBlob } from './cache.js';
import { partialOf } from './partial.js';
import { type Answer, failOn, request, retrying, TransientError } from './request.js';

interface FileFetch {
  readonly host: Host;
  readonly access: HubAccess;
  readonly pinned: PinnedRepository;
  readonly file: HubFile;
  /** Told how many bytes of the file are here. */
  readonly progress?: (bytes: number) => void;
}

export const filePath = ({ kind, id, commit }: PinnedRepository, name: string): string =>
  `/${kind === 'dataset' ? 'datasets/' : ''}${id}/resolve/${commit}/${name.split('/').map(encodeURIComponent).join('/')}`;

/** Throws a `UserError`, or the signal's reason. What has come by then is kept for the next try. */
export async function fetchFile(fetch: FileFetch): Promise<void> {
  const { host, access, pinned, file } = fetch;
  if (isPresent(host, pinned, file)) return;
  const blob = blobPath(host, pinned, file);
  if (!existsSync(blob) || statSync(blob).size !== file.bytes) {
    if (access.offline) throw new UserError(offlineMissing(pinned, [file.name]));
    await fetchBlob(fetch, blob);
  }
  showBlob(host, pinned, file);
}

async function fetchBlob(fetch: FileFetch, blob: string): Promise<void> {
  const { host, access, pinned, file } = fetch;
  const part = partialOf(blob, host.now());
  const sizeOf = (): number => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  // What an earlier run left may be damaged: then the file is fetched from its start, once.
  let left = sizeOf() > 0;
  for (;;) {
    let before = sizeOf();
    await retrying(
      access,
      () => fill(fetch, part),
      () => {
        const got = sizeOf() > before;
        before = sizeOf();
        return got;
      },
    );
    const wrong = wrongDigest(part, file);
    if (wrong === undefined) break;
    rmSync(part, { force: true });
    if (!left) throw new UserError(wrongContent(pinned, file.name, wrong));
    left = false;
  }
  syncFile(part);
  writing(blob, undefined, () => renameSync(part, blob));
  syncFolder(dirname(blob));
}

/** Asks for what is missing of a part, and writes it as it comes. */
async function fill(fetch: FileFetch, part: string): Promise<void> {
  const { pinned, file, progress } = fetch;
  const handle = writing(part, undefined, () => openSync(part, 'a+'));
  try {
    if (statSync(part).size > file.bytes) ftruncateSync(handle, 0);
    const have = statSync(part).size;
    if (have === file.bytes && have > 0) return;
    const answer = await askFrom(fetch, have);
    if (answer === undefined) {
      ftruncateSync(handle, 0);
      throw new TransientError('the server does not have that part of the file', false);
    }
    const goesOn = answer.response.status === 206;
    if (!goesOn) ftruncateSync(handle, 0);
    await receive(answer, goesOn ? have : 0, file.bytes, (piece, bytes) => {
      writing(part, undefined, () => writeAll(handle, piece));
      progress?.(bytes);
    }).catch((error: unknown) => {
      if (!(error instanceof TooLongError)) throw error;
      ftruncateSync(handle, 0);
      throw new UserError(wrongContent(pinned, file.name, `more than ${file.bytes} bytes`));
    });
  } finally {
    closeSync(handle);
  }
}

/** The file from a byte on, or all of it where the server gives no parts; `undefined` if it has no such part. */
async function askFrom({ access, pinned, file }: FileFetch, start: number): Promise<Answer | undefined> {
  const range: Readonly<Record<string, string>> = start > 0 ? { range: `bytes=${start}-` } : {};
  const answer = await request(access, filePath(pinned, file.name), range);
  const { status, ok } = answer.response;
  if (status === 416) {
    answer.close();
    return undefined;
  }
  if (!ok) failOn(answer, { ...pinned, revision: pinned.commit }, access, file.name);
  checkCommit(answer, pinned);
  if (status === 206 && startOf(answer) !== start) {
    answer.close();
    throw new TransientError('the server sent a different part of the file', false);
  }
  return answer;
}

class TooLongError extends Error {}

/** Hands the pieces on, with how many bytes there are by then. */
async function receive(
  answer: Answer,
  start: number,
  total: number,
  take: (piece: Uint8Array, bytes: number) => void,
): Promise<void> {
  let have = start;
  for await (const piece of answer.body()) {
    have += piece.length;
    if (have > total) throw new TooLongError();
    take(piece, have);
  }
  if (have < total)
    throw new TransientError(`the server closed the connection after ${have} of ${total} bytes`, false);
}

/** `Content-Range: bytes 100-199/200` */
function startOf({ response }: Answer): number | undefined {
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}

function checkCommit({ response }: Answer, pinned: PinnedRepository): void {
  const commit = response.headers.get('x-repo-commit');
  if (commit !== null && commit !== pinned.commit)
    throw new UserError(wrongContent(pinned, 'a file', `it belongs to commit ${commit.slice(0, 40)}`));
}

/** Large files have a SHA-256; the others are named as Git names them: SHA-1 of a header and the content. */
function wrongDigest(path: string, file: HubFile): string | undefined {
  const { bytes, sha256, blob } = file;
  const hash: Hash =
    sha256 === undefined ? createHash('sha1').update(`blob ${bytes}\0`) : createHash('sha256');
  readParts(path, (part) => hash.update(part));
  const found = hash.digest('hex');
  const expected = sha256 ?? blob;
  return expected === undefined || found === expected
    ? undefined
    : `its digest is ${found.slice(0, 12)}…, not ${expected.slice(0, 12)}…`;
}
