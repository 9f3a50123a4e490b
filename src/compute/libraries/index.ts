/** Libraries of native code that come with ftpc: where they are, and what loads them. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { PACKAGE, tryJsonFile } from '../../language/host/json.js';
import { nodeHost } from '../../language/host/node-host.js';
import type { Look } from './damage.js';
import type { Libraries, LibraryName } from './library.js';
import { archiveOf, missingHere, packedVersion } from './packed.js';
import { librariesFolder, unpacked } from './unpack.js';

export type { Libraries } from './library.js';

/** In ftpc's repository, libraries are packages of its own; what others have installed around a package of ftpc is theirs. */
const ownVersion = (host: Host, name: LibraryName): string | undefined =>
  tryJsonFile(PACKAGE, host, join(host.packageFolder, 'node_modules', name, 'package.json'))?.version;

/** Found out without unpacking or loading it; `undefined` if there is none for this machine. */
export const libraryVersion = (host: Host, name: LibraryName): string | undefined =>
  ownVersion(host, name) ?? packedVersion(host, name);

/** Where a library is, for people. */
export const libraryPlace = (host: Host, name: LibraryName): string =>
  ownVersion(host, name) === undefined ? `unpacked in ${librariesFolder(host)}` : 'in `node_modules`';

/** What is said where there is none for this machine. */
export const libraryMissing = (host: Host, name: LibraryName): Diagnostic | undefined =>
  libraryVersion(host, name) === undefined ? missingHere(host, name) : undefined;

/**
 * Loads a library; where it is packed, it is unpacked before, once per user. `look` says which of its files are compared
 * with what was unpacked. Throws a `UserError` if there is none for this machine, or it cannot be unpacked, and what the
 * library throws.
 */
export async function loadLibrary<N extends LibraryName>(
  name: N,
  host: Host = nodeHost(),
  look?: Look,
): Promise<Libraries[N]> {
  if (ownVersion(host, name) !== undefined) return requireFrom(host.packageFolder, name);
  const archive = archiveOf(host, name);
  const folder = await unpacked(host, archive, look);
  try {
    return requireFrom(folder, name);
  } catch {
    // what looked whole may have been damaged, or replaced by another process in this moment
    return requireFrom(await unpacked(host, archive, 'all'), name);
  }
}

/** The folder from which a library that has been loaded can be required, by another process too. */
export const libraryFolder = async (name: LibraryName, host: Host = nodeHost()): Promise<string> =>
  ownVersion(host, name) === undefined ? unpacked(host, archiveOf(host, name)) : host.packageFolder;

const requireFrom = <N extends LibraryName>(folder: string, name: N): Libraries[N] =>
  createRequire(join(folder, 'package.json'))(name);
