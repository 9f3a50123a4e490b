/**
 * Reads a zip file by its central directory (PKWARE's APPNOTE.TXT, 4.3): as much of the format as wheels use, stored
 * or deflated, below 4 GiB a file. Wheels are read after their digest was checked.
 */
import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { makeFolders } from '../../language/host/node-folders.js';

export interface ZipEntry {
  readonly name: string;
  readonly method: 'stored' | 'deflated';
  readonly packedBytes: number;
  readonly bytes: number;
  /** Permissions of a Unix file. */
  readonly mode: number;
  /** Where its local header begins. */
  readonly at: number;
}

/** A file that is no zip of the kind that is read here. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

const END = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const METHODS: Readonly<Record<number, ZipEntry['method']>> = { 0: 'stored', 8: 'deflated' };
/** Stands where a size is too large for 32 bits. */
const ELSEWHERE = 0xffffffff;

function reading<T>(path: string, use: (read: (at: number, length: number) => Buffer, size: number) => T): T {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    return use((at, length) => {
      const buffer = Buffer.alloc(length);
      if (at < 0 || readSync(file, buffer, 0, length, at) !== length)
        throw new ZipError('the file ends too early');
      return buffer;
    }, size);
  } finally {
    closeSync(file);
  }
}

/** Throws a {@link ZipError}. */
export const zipEntries = (path: string): readonly ZipEntry[] =>
  reading(path, (read, size) => {
    const tail = read(
      Math.max(0, size - END_BYTES - LONGEST_COMMENT),
      Math.min(size, END_BYTES + LONGEST_COMMENT),
    );
    let end = tail.length - END_BYTES;
    while (end >= 0 && tail.readUInt32LE(end) !== END) end--;
    if (end < 0) throw new ZipError('not a zip file');
    const [count, length, start] = [
      tail.readUInt16LE(end + 10),
      tail.readUInt32LE(end + 12),
      tail.readUInt32LE(end + 16),
    ];
    const directory = read(start, length);
    const entries: ZipEntry[] = [];
    for (let at = 0; entries.length < count; ) {
      if (at + CENTRAL_BYTES > length || directory.readUInt32LE(at) !== CENTRAL)
        throw new ZipError('its directory is damaged');
      const [name, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
        number,
        number,
        number,
      ];
      const method = METHODS[directory.readUInt16LE(at + 10)];
      const entry = {
        name: directory.toString('utf8', at + CENTRAL_BYTES, at + CENTRAL_BYTES + name),
        packedBytes: directory.readUInt32LE(at + 20),
        bytes: directory.readUInt32LE(at + 24),
        mode: (directory.readUInt32LE(at + 38) >>> 16) & 0o777,
        at: directory.readUInt32LE(at + 42),
      };
      if (method === undefined || [entry.packedBytes, entry.bytes, entry.at].includes(ELSEWHERE))
        throw new ZipError(`${entry.name} uses an unsupported compression`);
      entries.push({ ...entry, method });
      at += CENTRAL_BYTES + name + extra + comment;
    }
    return entries;
  });

/** Writes one file of a zip to `target`. Throws a {@link ZipError}, what the system says, or an abort. */
export async function unzip(
  path: string,
  entry: ZipEntry,
  target: string,
  signal?: AbortSignal,
): Promise<void> {
  const start = reading(path, (read) => {
    const header = read(entry.at, LOCAL_BYTES);
    return entry.at + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  });
  makeFolders(dirname(target));
  const packed = createReadStream(path, { start, end: start + entry.packedBytes - 1 });
  const file = createWriteStream(target, entry.mode === 0 ? {} : { mode: entry.mode });
  if (entry.method === 'deflated') await pipeline(packed, createInflateRaw(), file, { signal });
  else await pipeline(packed, file, { signal });
  if (file.bytesWritten !== entry.bytes)
    throw new ZipError(`${entry.name} has ${file.bytesWritten} bytes and not ${entry.bytes}`);
}

/** The path of an entry in a folder. Throws a {@link ZipError} for a name that leads out of it. */
export function placeOf(folder: string, { name }: ZipEntry): string {
  const parts = name.split('/');
  if (name.startsWith('/') || name.includes('\\') || parts.includes('..') || parts.includes(''))
    throw new ZipError(`it lists a file that would be written outside its folder: ${JSON.stringify(name)}`);
  return join(folder, ...parts);
}
