/** Unpacks an archive into the user's cache folder: the package itself may lie where nobody but root writes. */
import { randomUUID } from 'node:crypto';
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { libraryNotUnpacked } from '../../language/diagnostics/catalogue/runtimes.js';
import { UserError } from '../../language/diagnostics/types.js';
import { cacheFolder } from '../../language/host/cache-folder.js';
import type { Host } from '../../language/host/host.js';
import { tryJsonFile, version } from '../../language/host/json.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { discard, type OwnForm, sweepOwn } from '../../language/host/own-files.js';
import { damageOf, INSTALLED_FILES, type InstalledFiles, type Look, MANIFEST, secondsOf } from './damage.js';
import { type Archive, type ArchivedFile, readArchive } from './packed.js';

const UNPACKED = v.object({ version: version(1), files: INSTALLED_FILES });

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** What a killed unpacking left is removed after this long; none takes a minute. */
const ABANDONED = HOUR;
/** Other versions that nothing has loaded for so long are removed when one is unpacked. */
const UNUSED = 30 * DAY;

/** Folder of all libraries that were unpacked. */
export const librariesFolder = (host: Host): string => join(cacheFolder(host), 'libraries');

/**
 * The folder of an archive's files, which are unpacked if they are not there as they were, by `look`. Throws a `UserError`
 * if the archive is damaged, or the folder takes nothing.
 */
export async function unpacked(host: Host, archive: Archive, look?: Look): Promise<string> {
  const folder = join(librariesFolder(host), archive.folder);
  if (isWhole(host, folder, look)) used(host, folder);
  else await unpack(host, archive, folder);
  return folder;
}

function isWhole(host: Host, folder: string, look?: Look): boolean {
  const manifest = tryJsonFile(UNPACKED, host, join(folder, MANIFEST));
  return manifest !== undefined && damageOf(host, folder, manifest.files, look) === undefined;
}

/**
 * Processes that start at once each unpack into a folder of their own, and the first one gives it the name: so none waits
 * for another that may have been killed, and what has the name is whole.
 */
async function unpack(host: Host, archive: Archive, folder: string): Promise<void> {
  const files = await readArchive(host, archive);
  const parent = dirname(folder);
  const staging = join(parent, `.${randomUUID()}`);
  try {
    makeFolders(parent);
    sweep(host, parent, archive.folder);
    await write(staging, files);
    await place(host, staging, folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string') throw error;
    throw new UserError(libraryNotUnpacked(archive.title, parent, { code, message }));
  } finally {
    discard(staging);
    discard(asideOf(staging));
  }
}

async function write(staging: string, files: readonly ArchivedFile[]): Promise<void> {
  const written: Record<string, InstalledFiles[string]> = {};
  for (const { name, bytes, sha256 } of files) {
    const path = join(staging, name);
    makeFolders(dirname(path));
    await writeFile(path, bytes, { flush: true });
    written[name] = { bytes: bytes.length, sha256, modified: secondsOf(statSync(path).mtimeMs) };
  }
  const manifest = { version: 1, files: written };
  await writeFile(join(staging, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
}

const asideOf = (staging: string): string => `${staging}.old`;

/** Windows renames no folder while a scanner looks at what is new in it. */
const TRIES = 10;
const PAUSE_MS = 50;

/** Gives what was unpacked its name, in the place of what is damaged, but not of what another process has just put there. */
async function place(host: Host, staging: string, folder: string): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      return await rename(staging, folder);
    } catch (error) {
      if (isWhole(host, folder, 'all')) return;
      if (tries === TRIES) throw error;
      discard(asideOf(staging));
      await rename(folder, asideOf(staging)).catch(() => sleep(PAUSE_MS));
    }
}

/** Says that a version is in use. */
function used(host: Host, folder: string): void {
  const { modified = 0 } = host.stat(folder) ?? {};
  if (host.now() - modified < DAY) return;
  try {
    utimesSync(folder, new Date(host.now()), new Date(host.now()));
  } catch {
    // a cache that may only be read
  }
}

function sweep(host: Host, parent: string, folder: string): void {
  const library = folder.replace(/-\d.*$/, '-');
  for (const name of readdirSync(parent)) {
    const path = join(parent, name);
    const isVersion =
      name.startsWith(library) && tryJsonFile(UNPACKED, host, join(path, MANIFEST)) !== undefined;
    const most = STAGING.name.test(name) ? ABANDONED : isVersion ? UNUSED : undefined;
    const { modified = 0 } = host.stat(path) ?? {};
    // as much as can be: Windows keeps what a process has loaded
    if (most !== undefined && name !== folder && host.now() - modified > most)
      sweepOwn(path, { ...STAGING, name: /^/ });
  }
}

/** What is being unpacked, or was in its place. */
const STAGING: OwnForm = {
  name: /^\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.old)?$/,
  kinds: ['folder'],
};
