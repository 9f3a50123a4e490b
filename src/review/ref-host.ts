/**
 * The world as it was at a commit: files that changed since then are read from git's objects, when they are asked
 * for; all others are those of the working tree, also files that git does not know.
 */
import { dirname, join, relative, resolve, sep } from 'node:path';
import { largeObjectMissing, submoduleChanged } from '../diagnostics/catalogue/review.js';
import type { Diagnostic } from '../diagnostics/types.js';
import { type FileStat, type Host, HostError } from '../source/host.js';
import { globWith } from './earlier-glob.js';
import { type Earlier, largePointer, type Repository } from './repository.js';

export interface RefHost {
  readonly host: Host;
  /** Paths of the working tree that were read, relative to the root. */
  taken(): readonly string[];
  /** SHA-256 of files whose content is not here and was taken from the working tree, by absolute path. */
  digests(): ReadonlyMap<string, string>;
}

/** Where a path is read from. */
type Place =
  | { readonly from: 'nowhere' }
  | { readonly from: 'disk'; readonly path: string }
  | { readonly from: 'git'; readonly id: string }
  /** A folder that only the commit has. */
  | { readonly from: 'folder' };

/** Links that lead to links, at most; as many as Linux follows. */
const MOST_LINKS = 40;

export function refHost(
  real: Host,
  repository: Repository,
  ref: string,
  report: (diagnostic: Diagnostic) => void,
): RefHost {
  const { root, changed } = repository;
  const gone = goneFiles(changed);
  const goneFolders = new Set(gone.flatMap(foldersAbove));
  const submodules = [...changed].flatMap(([path, { kind }]) => (kind === 'submodule' ? [path] : []));
  const taken = new Set<string>();
  const digests = new Map<string, string>();
  const contents = new Map<string, Uint8Array>();

  const inRoot = (path: string): string | undefined => {
    const inside = relative(root, path).split(sep).join('/');
    return inside === '..' || inside.startsWith('../') || inside === '' ? undefined : inside;
  };
  /** A path as git calls it: the links of the folders above are followed, its own is not. */
  const nameOf = (path: string): string | undefined =>
    inRoot(join(repository.realPath(dirname(path)), path.slice(dirname(path).length)));

  const placeOf = (path: string, links = 0): Place => {
    const disk: Place = { from: 'disk', path };
    if (isOfPackage(real, path)) return disk;
    const name = nameOf(path);
    const own = name === undefined ? undefined : changed.get(name);
    // what a link leads to may have changed, and the link not
    const target = inRoot(repository.realPath(path));
    const earlier = own ?? (target === undefined ? undefined : changed.get(target));
    if (name !== undefined && goneFolders.has(name) && earlier?.kind !== 'file') return { from: 'folder' };
    if (earlier?.kind === 'nothing') return { from: 'nowhere' };
    if (earlier?.kind === 'file') return { from: 'git', id: earlier.id };
    if (earlier?.kind === 'link' && links < MOST_LINKS)
      return placeOf(resolve(dirname(path), text(repository.read(earlier.id))), links + 1);
    const module = submodules.find((one) => target === one || target?.startsWith(`${one}/`) === true);
    if (module !== undefined) report(submoduleChanged(module, ref));
    return disk;
  };

  /** The content behind an object; that of a Git LFS pointer is looked for where Git LFS keeps it. */
  const contentOf = (id: string, path: string): Uint8Array => {
    const known = contents.get(id);
    if (known !== undefined) return known;
    const stored = repository.read(id);
    const sha256 = largePointer(stored);
    const content = sha256 === undefined ? stored : large(sha256, path);
    contents.set(id, content);
    return content;
  };
  const large = (sha256: string, path: string): Uint8Array => {
    const kept = repository.largeObject(sha256);
    if (kept !== undefined) return real.readBytes(kept);
    report(largeObjectMissing(nameOf(path) ?? path, ref));
    digests.set(path, sha256);
    return real.stat(path) === undefined ? new Uint8Array() : real.readBytes(path);
  };

  /** Content that is not on the disk. Throws where there is no file. */
  const earlierBytes = (path: string, place: Exclude<Place, { from: 'disk' }>): Uint8Array => {
    if (place.from === 'git') return contentOf(place.id, path);
    const isFolder = place.from === 'folder';
    throw new HostError(isFolder ? 'is_folder' : 'not_found', path, `not a file at ${ref}`);
  };
  const noteTaken = (path: string): void => {
    const name = isOfPackage(real, path) ? undefined : inRoot(repository.realPath(path));
    if (name !== undefined) taken.add(name);
  };

  const list = (folder: string): readonly string[] => {
    const name = nameOf(folder);
    const below = name === undefined ? '' : `${name}/`;
    const come = gone
      .filter((path) => path.startsWith(below))
      .map((path) => path.slice(below.length).split('/')[0] ?? '');
    const place = placeOf(folder);
    if (place.from === 'nowhere') throw new HostError('not_found', folder, `not there at ${ref}`);
    const here = place.from === 'disk' ? real.list(place.path) : [];
    const kept = here.filter((one) => placeOf(join(folder, one)).from !== 'nowhere');
    return [...new Set([...kept, ...(name === undefined ? [] : come)])].sort();
  };

  const host: Host = {
    ...real,
    readText(path) {
      const place = placeOf(path);
      if (place.from !== 'disk') return text(earlierBytes(path, place));
      noteTaken(place.path);
      return real.readText(place.path);
    },
    readBytes(path, start = 0, length) {
      const place = placeOf(path);
      if (place.from !== 'disk')
        return earlierBytes(path, place).subarray(start, length === undefined ? undefined : start + length);
      noteTaken(place.path);
      return real.readBytes(place.path, start, length);
    },
    stat(path): FileStat | undefined {
      const place = placeOf(path);
      if (place.from === 'disk') return real.stat(place.path);
      if (place.from === 'nowhere') return undefined;
      if (place.from === 'folder') return { size: 0, isFolder: true, modified: 0 };
      return { size: contentOf(place.id, path).byteLength, isFolder: false, modified: 0 };
    },
    list,
    glob(pattern, base) {
      const here = real.glob(pattern, base).filter((path) => placeOf(path).from !== 'nowhere');
      const come = gone.map((path) => join(root, path));
      return [...new Set([...here, ...globWith(come, pattern, repository.realPath(base), base)])].sort(
        byCodeUnit,
      );
    },
  };
  return { host, taken: () => [...taken].sort(), digests: () => digests };
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The library and the tensor runtime are those of the ftpc that compares, on both sides. */
const isOfPackage = ({ packageFolder }: Host, path: string): boolean =>
  ['stdlib', 'node_modules', 'docs'].some((folder) => path.startsWith(join(packageFolder, folder) + sep));

/** Files of the commit, where the working tree may have none. */
const goneFiles = (changed: ReadonlyMap<string, Earlier>): readonly string[] =>
  [...changed].flatMap(([path, { kind }]) => (kind === 'file' || kind === 'link' ? [path] : [])).sort();

function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
