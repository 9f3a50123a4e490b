/**
 * The published package holds libraries of native code as one archive per system: their own packages hold every system
 * (350 MB together), and one of them would fetch more at its installation. `scripts/pack-libraries.mjs` writes them.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import * as v from 'valibot';
import { libraryDamaged, libraryNotBuilt } from '../../language/diagnostics/catalogue/runtimes.js';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import { count, ownJson, record, sha256, tryJsonFile, version } from '../../language/host/json.js';
import { type LibraryName, WORDS } from './library.js';
import { platformHere } from './platform.js';

/** `archives.json`, next to the archives. */
const ARCHIVES = v.object({
  version: version(1),
  libraries: record(
    v.object({
      version: v.string(),
      /** By system: the archive's file, and the digest of that file. */
      archives: record(v.object({ file: v.string(), sha256 })),
    }),
  ),
});

/** The first line of an archive. The bytes of the files follow, in this order. */
const HEADER = v.object({ files: record(v.object({ bytes: count, sha256 })) });

/** The archive of a library for this machine. */
export interface Archive {
  readonly title: string;
  readonly path: string;
  readonly sha256: string;
  /** Name of the folder it is unpacked into: another for each content. */
  readonly folder: string;
}

export interface ArchivedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

const folderOf = (host: Host): string => join(host.packageFolder, 'dist', 'libraries');

const packedLibrary = (host: Host, name: LibraryName) =>
  tryJsonFile(ARCHIVES, host, join(folderOf(host), 'archives.json'))?.libraries[name];

/** The version of a library that is packed for this machine; `undefined` if there is none. */
export function packedVersion(host: Host, name: LibraryName): string | undefined {
  const found = packedLibrary(host, name);
  return found?.archives[platformHere()] && found.version;
}

/** What is said where this package has none for this machine. */
export function missingHere(host: Host, name: LibraryName): Diagnostic {
  const { title, instead } = WORDS[name];
  const systems = Object.keys(packedLibrary(host, name)?.archives ?? {}).sort();
  return libraryNotBuilt(title, platformHere(), systems, instead);
}

/** Throws a `UserError` if this package has none for this machine. */
export function archiveOf(host: Host, name: LibraryName): Archive {
  const found = packedLibrary(host, name);
  const here = platformHere();
  const archive = found?.archives[here];
  if (found === undefined || archive === undefined) throw new UserError(missingHere(host, name));
  return {
    title: WORDS[name].title,
    path: join(folderOf(host), archive.file),
    sha256: archive.sha256,
    folder: `${name}-${found.version}-${here}-${archive.sha256.slice(0, 12)}`,
  };
}

/** The files of an archive. Throws a `UserError` if it is not what was published. */
export async function readArchive(host: Host, { title, path, sha256 }: Archive): Promise<ArchivedFile[]> {
  const packed = readPacked(host, title, path);
  if (createHash('sha256').update(packed).digest('hex') !== sha256)
    throw new UserError(libraryDamaged(title, path, 'its digest is another'));
  const content = await promisify(brotliDecompress)(packed);
  let start = content.indexOf('\n') + 1;
  const { files } = ownJson(HEADER, content.toString('utf8', 0, start));
  return Object.entries(files).map(([name, { bytes, sha256: digest }]) => {
    const file = { name, bytes: content.subarray(start, start + bytes), sha256: digest };
    start += bytes;
    return file;
  });
}

function readPacked(host: Host, title: string, path: string): Uint8Array {
  try {
    return host.readBytes(path);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    throw new UserError(libraryDamaged(title, path, error.detail));
  }
}
