/**
 * Files of a zip archive, such as a wheel. yauzl reads the archive by its directory, refuses names that lead out of a
 * folder, and stops where a file is longer or shorter than the directory says.
 */
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { makeFolders } from '../../language/host/node-folders.js';
import { isSafeName } from '../../language/schemas/repositories.js';

/** A file that is no sound zip archive. */
export class ZipError extends Error {
  override readonly name = 'ZipError';
}

/** What is wrong with an archive as a {@link ZipError}; what the system says, and an abort, as it is. */
async function reading<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOfArchive = error instanceof Error && (!('code' in error) || /^Z_/.test(String(error.code)));
    throw isOfArchive ? new ZipError(error.message, { cause: error }) : error;
  }
}

/** Opens an archive for `use`, which gets its files. Throws a {@link ZipError}, or what the system says. */
export async function withZip<T>(
  path: string,
  use: (zip: ZipFile, files: readonly Entry[]) => Promise<T>,
): Promise<T> {
  const zip = await reading(() =>
    openPromise(path, { autoClose: false, lazyEntries: true, strictFileNames: true }),
  );
  try {
    return await use(zip, await reading(() => filesIn(zip)));
  } finally {
    zip.close();
  }
}

async function filesIn(zip: ZipFile): Promise<readonly Entry[]> {
  const files: Entry[] = [];
  for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) files.push(entry);
  return files;
}

/** Writes one file of an archive below a folder, with its permissions. Throws as {@link withZip} does. */
export async function unzip(zip: ZipFile, entry: Entry, folder: string, signal?: AbortSignal): Promise<void> {
  const { fileName } = entry;
  // yauzl lets some names through that no file can have
  if (!isSafeName(fileName))
    throw new ZipError(`it lists a file that cannot be in a folder: ${JSON.stringify(fileName)}`);
  const target = join(folder, ...fileName.split('/'));
  makeFolders(dirname(target));
  const mode = (entry.externalFileAttributes >>> 16) & 0o777;
  await reading(async () =>
    pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, mode === 0 ? {} : { mode }), {
      signal,
    }),
  );
}

export const textOf = (zip: ZipFile, entry: Entry): Promise<string> =>
  reading(async () => text(await zip.openReadStreamPromise(entry)));
