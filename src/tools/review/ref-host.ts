/**
 * The world as it was at a commit: files that changed since then are read from git's objects, when they are asked
 * for; all others are those of the working tree, also files that git does not know.
 */
import { join } from 'node:path';
import { largeObjectMissing, submoduleChanged } from '../../language/diagnostics/catalogue/review.js';
import type { Diagnostic } from '../../language/diagnostics/types.js';
import { type Host, HostError } from '../../language/host/host.js';
import {
  type EarlierPaths,
  type EarlierPlace,
  globWith,
  isOfPackage,
  openEarlierPaths,
} from './earlier-paths.js';
import { largePointer, type Repository } from './repository.js';

interface RefHost {
  readonly host: Host;
  /** Paths of the working tree that were read, relative to the root. */
  taken(): readonly string[];
  /** See {@link EarlierContents.absent}. */
  readonly absent: EarlierContents['absent'];
}

export function refHost(
  real: Host,
  repository: Repository,
  ref: string,
  report: (diagnostic: Diagnostic) => void,
): RefHost {
  const places = openEarlierPaths(real, repository, (module) => report(submoduleChanged(module, ref)));
  const contents = openContents(real, repository, ref, report);
  const taken = new Set<string>();
  /** Of a file that is not on the disk. Throws a `HostError` if there is no file. */
  const earlier = (path: string, place: Exclude<EarlierPlace, { from: 'disk' }>): Uint8Array => {
    if (place.from === 'git') return contents.of(place.id, path, places.nameOf(path) ?? path);
    const code = place.from === 'folder' ? 'is_folder' : 'not_found';
    throw new HostError(code, path, `not a file at ${ref}`);
  };
  /** A file of the disk counts as taken once it could be read. */
  const reading = <T>(path: string, disk: (path: string) => T, git: (bytes: Uint8Array) => T): T => {
    const place = places.of(path);
    if (place.from !== 'disk') return git(earlier(path, place));
    const name = isOfPackage(real, path) ? undefined : places.nameOf(repository.realPath(place.path));
    const read = disk(place.path);
    if (name !== undefined) taken.add(name);
    return read;
  };
  const host: Host = {
    ...real,
    readText: (path) => reading(path, real.readText, (bytes) => new TextDecoder().decode(bytes)),
    readBytes: (path, start = 0, length) =>
      reading(
        path,
        (here) => real.readBytes(here, start, length),
        (bytes) => bytes.subarray(start, length === undefined ? undefined : start + length),
      ),
    stat(path) {
      const place = places.of(path);
      if (place.from === 'disk') return real.stat(place.path);
      if (place.from === 'nowhere') return undefined;
      if (place.from === 'folder') return { size: 0, isFolder: true, modified: 0 };
      return { size: earlier(path, place).byteLength, isFolder: false, modified: 0 };
    },
    list: (folder) => listed(real, places, folder),
    glob(pattern, base) {
      const here = real.glob(pattern, base).filter((path) => places.of(path).from !== 'nowhere');
      const come = globWith(places.paths, pattern, repository.realPath(base), base);
      return [...new Set([...here, ...come])].sort(byCodeUnit);
    },
  };
  return { host, taken: () => [...taken].sort(byCodeUnit), absent: contents.absent };
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Names in a folder: those that are there and were there, and those that are no longer. */
function listed(real: Host, places: EarlierPaths, folder: string): readonly string[] {
  const place = places.of(folder);
  if (place.from === 'nowhere') throw new HostError('not_found', folder, 'not there at the commit');
  const name = places.nameOf(folder);
  const below = name === undefined || name === '' ? '' : `${name}/`;
  const come = places.files
    .filter((path) => name !== undefined && path.startsWith(below))
    .map((path) => path.slice(below.length).split('/')[0] ?? '');
  const here = place.from === 'disk' ? real.list(place.path) : [];
  const kept = here.filter((one) => places.of(join(folder, one)).from !== 'nowhere');
  return [...new Set([...kept, ...come])].sort(byCodeUnit);
}

interface EarlierContents {
  /** Of object `id`, which was at the absolute `path`; `name` is what git calls it. Throws a `UserError`. */
  of(id: string, path: string, name: string): Uint8Array;
  /** SHA-256 of files whose content is not here and was taken from the working tree, by absolute path. */
  readonly absent: ReadonlyMap<string, string>;
}

/** Contents at a commit, each read once; that of a Git LFS pointer is looked for where Git LFS keeps it. */
function openContents(
  real: Host,
  repository: Repository,
  ref: string,
  report: (diagnostic: Diagnostic) => void,
): EarlierContents {
  const known = new Map<string, Uint8Array>();
  const absent = new Map<string, string>();
  const large = (sha256: string, path: string, name: string): Uint8Array => {
    const kept = repository.largeObject(sha256);
    if (kept !== undefined) return real.readBytes(kept);
    report(largeObjectMissing(name, ref));
    absent.set(path, sha256);
    return real.stat(path) === undefined ? new Uint8Array() : real.readBytes(path);
  };
  return {
    absent,
    of(id, path, name) {
      const found = known.get(id);
      if (found !== undefined) return found;
      const stored = repository.read(id);
      const sha256 = largePointer(stored);
      const content = sha256 === undefined ? stored : large(sha256, path, name);
      known.set(id, content);
      return content;
    },
  };
}
