/** One file into the cache: continues where an earlier try ended, checks size and digest, and shows the file only then. */
import { closeSync, existsSync, ftruncateSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { offlineDamaged, offlineMissing, wrongContent } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { discard } from '../../language/host/own-files.js';
import { ALWAYS_READ } from '../../language/host/seal-damage.js';
import type { SealedFile } from '../../language/host/sealed-file.js';
import type { HubFile, PinnedRepository } from '../../language/ir/program.js';
import { syncFile, syncFolder, writeAll } from '../store/durable.js';
import { writing } from '../store/index.js';
import type { HubAccess } from './access.js';
import { blobPath, isPresent, removeFile, showBlob } from './cache.js';
import { partialOf } from './partial.js';
import { type Answer, failOn, request, retrying, TransientError } from './request.js';
import { compared, damageOf, keepSeal } from './seals.js';

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

/** What is read before others compare it as they read, and costs little, is compared each time. */
const isRead = ({ name, bytes }: HubFile): boolean => bytes <= ALWAYS_READ || /\.parquet$/i.test(name);

/**
 * Whether a file is there and, as far as that is not found when it is read, what the Hub lists. One that is not is removed, so
 * that it is fetched again; offline, a `UserError` is thrown.
 */
export function isSound(
  host: Host,
  access: Pick<HubAccess, 'offline'>,
  pinned: PinnedRepository,
  file: HubFile,
): boolean {
  if (!isPresent(host, pinned, file)) return false;
  const damage = damageOf(host, pinned, file, isRead(file));
  if (damage === undefined) return true;
  if (access.offline) throw new UserError(offlineDamaged(pinned, file.name, damage));
  removeFile(host, pinned, file);
  return false;
}

/** Throws a `UserError`, or the signal's reason. What has come by then is kept for the next try. */
export async function fetchFile(fetch: FileFetch): Promise<void> {
  const { host, access, pinned, file } = fetch;
  if (isSound(host, access, pinned, file)) return;
  const blob = blobPath(host, pinned, file);
  const there = existsSync(blob) && statSync(blob).size === file.bytes ? compared(blob, file) : undefined;
  if (there !== undefined && 'bytes' in there) {
    showBlob(host, pinned, file);
    keepSeal(host, pinned, file.name, there);
    return;
  }
  if (access.offline) throw new UserError(offlineMissing(pinned, [file.name]));
  const seal = await fetchBlob(fetch, blob);
  showBlob(host, pinned, file);
  keepSeal(host, pinned, file.name, seal);
}

async function fetchBlob(fetch: FileFetch, blob: string): Promise<SealedFile> {
  const { host, access, pinned, file } = fetch;
  const part = partialOf(blob, host.now());
  const sizeOf = (): number => statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  // What an earlier run left may be damaged: then the file is fetched from its start, once.
  let left = sizeOf() > 0;
  let seal: SealedFile;
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
    const found = compared(part, file);
    if ('bytes' in found) {
      seal = found;
      break;
    }
    discard(part);
    if (!left) throw new UserError(wrongContent(pinned, file.name, found.wrong));
    left = false;
  }
  syncFile(part);
  writing(blob, undefined, () => renameSync(part, blob));
  syncFolder(dirname(blob));
  return seal;
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
