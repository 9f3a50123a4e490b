/**
 * The ends of a large file, by range requests: enough to plan with. A safetensors file says at its start what it holds,
 * Parquet at its end.
 */

import { basename, dirname } from 'node:path';
import { MAX_HEADER_BYTES } from '../../compute/models/safetensors/header.js';
import { badAnswer, offlineMissing } from '../../language/diagnostics/catalogue/hub.js';
import { UserError } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import type { HubFile, PinnedRepository } from '../../language/ir/program.js';
import { HEAD } from '../stages/data/read/file-kinds.js';
import { footerLength } from '../stages/data/read/footer.js';
import { formatOfFile } from '../stages/hub-repositories.js';
import type { HubAccess } from './access.js';
import { filePath } from './download.js';
import { failOn, request, retrying, TransientError } from './request.js';

/** Rows are counted in this much; most headers of safetensors are shorter. */
const START = 1 << 16;

/** What is known of a file that is not here: its first bytes, and of Parquet the last ones. */
export interface FileEnds {
  readonly head: Uint8Array;
  readonly tail?: Uint8Array;
}

/** A sample of rows, the whole header of a safetensors file, or the whole footer of Parquet. Throws a `UserError`. */
export async function readEnds(
  access: HubAccess,
  pinned: PinnedRepository,
  file: HubFile,
): Promise<FileEnds> {
  if (access.offline) throw new UserError(offlineMissing(pinned, [file.name]));
  return formatOfFile(file.name) === 'parquet'
    ? parquetEnds(access, pinned, file)
    : { head: await readHead(access, pinned, file) };
}

async function parquetEnds(access: HubAccess, pinned: PinnedRepository, file: HubFile): Promise<FileEnds> {
  const head = await range(access, pinned, file, 0, HEAD);
  const start = Math.max(0, file.bytes - START);
  const last = await range(access, pinned, file, start, START);
  const missing = Math.min(start, (footerLength(last) ?? 0) - last.length);
  if (missing <= 0) return { head, tail: last.subarray(-(footerLength(last) ?? last.length)) };
  const before = await range(access, pinned, file, start - missing, missing);
  return { head, tail: Buffer.concat([before, last]) };
}

async function readHead(access: HubAccess, pinned: PinnedRepository, file: HubFile): Promise<Uint8Array> {
  const start = await range(access, pinned, file, 0, START);
  if (!file.name.endsWith('.safetensors') || start.length < 8) return start;
  const header = 8 + Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (header <= start.length || header > MAX_HEADER_BYTES) return start;
  return Buffer.concat([start, await range(access, pinned, file, start.length, header - start.length)]);
}

async function range(
  access: HubAccess,
  pinned: PinnedRepository,
  file: HubFile,
  from: number,
  length: number,
): Promise<Uint8Array> {
  const wanted = Math.min(length, file.bytes - from);
  if (wanted <= 0) return new Uint8Array();
  return retrying(access, async () => {
    const path = filePath(pinned, file.name);
    const answer = await request(access, path, { range: `bytes=${from}-${from + wanted - 1}` });
    if (!answer.response.ok) failOn(answer, { ...pinned, revision: pinned.commit }, access, file.name);
    if (answer.response.status !== 206 && from > 0)
      throw new UserError(badAnswer(answer.url, 'it does not support range requests'));
    const bytes = await firstOf(answer.body(), wanted);
    if (bytes.length < wanted) throw new TransientError('the server closed the connection', false);
    return bytes;
  });
}

async function firstOf(body: AsyncIterable<Uint8Array>, wanted: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= wanted) break;
  }
  return new Uint8Array(Buffer.concat(pieces).subarray(0, wanted));
}

export interface VirtualFile extends FileEnds {
  readonly bytes: number;
}

/** A Host on which files that are not here yet can be planned with: their sizes, and how they begin. */
export function withVirtualFiles(host: Host, files: ReadonlyMap<string, VirtualFile>): Host {
  if (files.size === 0) return host;
  const absent = (path: string): HostError =>
    new HostError('not_found', path, 'the file has not been fetched yet');
  const folders = new Set([...files.keys()].map((path) => dirname(path)));
  return {
    ...host,
    stat(path) {
      const file = files.get(path);
      if (file !== undefined) return { size: file.bytes, isFolder: false, modified: 0 };
      return host.stat(path) ?? (folders.has(path) ? { size: 0, isFolder: true, modified: 0 } : undefined);
    },
    readText(path) {
      const file = files.get(path);
      if (file === undefined) return host.readText(path);
      if (file.head.length < file.bytes) throw absent(path);
      return new TextDecoder().decode(file.head);
    },
    readBytes(path, start = 0, length) {
      const file = files.get(path);
      if (file === undefined) return host.readBytes(path, start, length);
      const end = Math.min(file.bytes, length === undefined ? file.bytes : start + length);
      if (end <= file.head.length) return file.head.slice(start, end);
      const { tail = new Uint8Array() } = file;
      const from = start - (file.bytes - tail.length);
      if (from < 0) throw absent(path);
      return tail.slice(from, from + end - start);
    },
    list(folder) {
      const names = [...files.keys()]
        .filter((path) => dirname(path) === folder)
        .map((path) => basename(path));
      if (names.length === 0) return host.list(folder);
      const own = host.stat(folder) === undefined ? [] : host.list(folder);
      return [...new Set([...own, ...names])].sort();
    },
  };
}
