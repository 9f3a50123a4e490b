/** A host that hands out no byte of a sealed file before it has been compared with what was sealed. */
import { dirname, join, relative, sep } from 'node:path';
import type { Host } from './host.js';
import { HostError } from './host.js';
import { realPath } from './real-path.js';
import { FileSealer, isChunk, placeOf, type SealedFile, type SealedFiles } from './sealed-file.js';

/** A folder whose files are known by their digests. */
export interface SealedFolder {
  /** Absolute. */
  readonly path: string;
  readonly files: SealedFiles;
  /** Whether a file in it is not sealed, as the record that lists the others. */
  isOpen(name: string): boolean;
  /** The error of a file that is not as it was. `what` names it. */
  damaged(what: string): Error;
}

/** Folders of a store entry or a release are at most this deep. */
const DEEPEST = 4;

/**
 * `sealedAt` gives what is known about a folder itself, and throws where that is damaged. Each chunk is compared when it is
 * read first; other files are read as ever. Damage is thrown as the folder says.
 */
export function verifiedHost(host: Host, sealedAt: (folder: string) => SealedFolder | undefined): Host {
  const folders = new Map<string, SealedFolder | undefined>();
  const files = new Map<string, FileCheck | undefined>();
  const around = (folder: string, depth: number): SealedFolder | undefined => {
    if (!folders.has(folder)) {
      const parent = dirname(folder);
      const up = depth === 0 || parent === folder ? undefined : () => around(parent, depth - 1);
      folders.set(folder, sealedAt(folder) ?? up?.());
    }
    return folders.get(folder);
  };
  const checkOf = (path: string): FileCheck | undefined => {
    if (!files.has(path)) files.set(path, openCheck(host, around(realPath(dirname(path)), DEEPEST), path));
    return files.get(path);
  };
  const verified: Host = {
    ...host,
    readText: (path) => {
      const check = checkOf(path);
      if (check === undefined) return host.readText(path);
      const bytes = check.read(0, undefined);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    },
    readBytes: (path, start = 0, length, room) =>
      checkOf(path)?.read(start, length, room) ?? host.readBytes(path, start, length, room),
  };
  plain.set(verified, host);
  return verified;
}

const plain = new WeakMap<Host, Host>();

/** The host that hands out every byte as it is: for what looks for damage itself. */
export const plainHost = (host: Host): Host => plain.get(host) ?? host;

interface FileCheck {
  read(start: number, length: number | undefined, room?: Uint8Array): Uint8Array;
}

function openCheck(host: Host, folder: SealedFolder | undefined, path: string): FileCheck | undefined {
  if (folder === undefined) return undefined;
  const name = relative(folder.path, join(realPath(dirname(path)), path.slice(dirname(path).length + 1)))
    .split(sep)
    .join('/');
  if (folder.isOpen(name) || host.stat(path)?.isFolder !== false) return undefined;
  const file = Object.hasOwn(folder.files, name) ? folder.files[name] : undefined;
  if (file === undefined) throw folder.damaged(`\`${name}\` was added later`);
  const fail = (what: string): never => {
    throw folder.damaged(`\`${name}\` ${what}`);
  };
  const look = file.chunks === undefined ? wholeLook(file, fail) : chunkLook(file, file.chunks, fail);
  const bytesAt = (start: number, length: number | undefined, room?: Uint8Array): Uint8Array => {
    try {
      return host.readBytes(path, start, length, room);
    } catch (error) {
      if (error instanceof HostError && error.code === 'io') return fail(`cannot be read: ${error.detail}`);
      throw error;
    }
  };
  return {
    read: (start, length, room) => {
      const size = host.stat(path)?.size;
      if (size !== file.bytes) fail(`has ${size ?? 'no'} bytes instead of ${file.bytes}`);
      const bytes = bytesAt(start, length, room);
      look(bytes, start, bytesAt);
      return bytes;
    },
  };
}

type BytesAt = (start: number, length: number) => Uint8Array;
type LookAt = (bytes: Uint8Array, start: number, bytesAt: BytesAt) => void;

const WINDOW = 1 << 22;

/** A file without chunks is small, or was sealed before there were any: all of it is read before any of it is used. */
function wholeLook(file: SealedFile, fail: (what: string) => never): LookAt {
  let seen = false;
  return (bytes, _start, bytesAt) => {
    if (seen) return;
    const sealer = new FileSealer();
    if (bytes.byteLength === file.bytes) sealer.add(bytes);
    else for (let at = 0; at < file.bytes; at += WINDOW) sealer.add(bytesAt(at, WINDOW));
    if (sealer.seal().sha256 !== file.sha256) fail('does not have the content that was written');
    seen = true;
  };
}

function chunkLook(
  { bytes: size }: SealedFile,
  chunks: NonNullable<SealedFile['chunks']>,
  fail: (what: string) => never,
): LookAt {
  const seen = new Uint8Array(Math.ceil(size / chunks.bytes));
  return (bytes, start, bytesAt) => {
    if (bytes.byteLength === 0) return;
    const end = start + bytes.byteLength;
    for (let index = Math.floor(start / chunks.bytes); index * chunks.bytes < end; index++) {
      if (seen[index] === 1) continue;
      const from = index * chunks.bytes;
      const to = Math.min(size, from + chunks.bytes);
      const chunk =
        from >= start && to <= end ? bytes.subarray(from - start, to - start) : bytesAt(from, to - from);
      if (!isChunk(chunk, chunks, index))
        fail(`does not have the content that was written${placeOf([from, to])}`);
      seen[index] = 1;
    }
  };
}
