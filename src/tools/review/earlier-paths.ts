/** Where what was at a path at a commit is read from: git's objects, the disk, or nowhere. */

import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { FileSystemAdapter } from 'tinyglobby';
import type { Host } from '../../language/host/host.js';
import type { EarlierEntry, Repository } from './repository.js';

export type EarlierPlace =
  | { readonly from: 'nowhere' }
  /** As it is now: unchanged, not in git, or outside the repository. */
  | { readonly from: 'disk'; readonly path: string }
  | { readonly from: 'git'; readonly id: string }
  /** A folder that only the commit has. */
  | { readonly from: 'folder' };

export interface EarlierPaths {
  of(path: string): EarlierPlace;
  /** A path as git calls it; `undefined` outside the repository. Links above it are followed, its own is not. */
  nameOf(path: string): string | undefined;
  /** Files and links that differ from the working tree or are not in it, as git calls them. */
  readonly files: readonly string[];
  /** The same, absolute. */
  readonly paths: readonly string[];
}

/** Links that lead to links, at most; as many as Linux follows. */
const MOST_LINKS = 40;

/** `onSubmodule` is called for a submodule at another commit from which something is read. */
export function openEarlierPaths(
  real: Host,
  repository: Repository,
  onSubmodule: (path: string) => void,
): EarlierPaths {
  const { root, changed, realPath } = repository;
  const files = [...changed].flatMap(([path, { kind }]) =>
    kind === 'file' || kind === 'link' ? [path] : [],
  );
  const folders = new Set(files.flatMap(foldersAbove));
  const submodules = [...changed].flatMap(([path, { kind }]) => (kind === 'submodule' ? [path] : []));

  const inRoot = (path: string): string | undefined => {
    const inside = relative(root, path).split(sep).join('/');
    return inside === '..' || inside.startsWith('../') ? undefined : inside;
  };
  const nameOf = (path: string): string | undefined => {
    const above = dirname(path);
    return inRoot(above === path ? path : join(realPath(above), path.slice(above.length)));
  };
  const earlierOf = (names: readonly (string | undefined)[]): EarlierEntry | undefined =>
    names
      .map((name) => (name === undefined ? undefined : changed.get(name)))
      .find((one) => one !== undefined);

  const of = (path: string, links = 0): EarlierPlace => {
    const disk: EarlierPlace = { from: 'disk', path };
    if (isOfPackage(real, path)) return disk;
    const name = nameOf(path);
    // what a link leads to may have changed, and the link not
    const target = inRoot(realPath(path));
    const earlier = earlierOf([name, target]);
    if (earlier?.kind === 'file') return { from: 'git', id: earlier.id };
    if (earlier?.kind === 'link' && links < MOST_LINKS) {
      const leadsTo = new TextDecoder().decode(repository.read(earlier.id));
      return of(resolve(dirname(path), leadsTo), links + 1);
    }
    if (name !== undefined && folders.has(name) && real.stat(path)?.isFolder !== true)
      return { from: 'folder' };
    if (earlier?.kind === 'nothing') return { from: 'nowhere' };
    const module = submodules.find((one) => target === one || target?.startsWith(`${one}/`) === true);
    if (module !== undefined) onSubmodule(module);
    return disk;
  };
  return { of, nameOf, files, paths: files.map((file) => join(root, file)) };
}

/** The library and the tensor runtime are those of the ftpc that compares, on both sides. */
export const isOfPackage = ({ packageFolder }: Host, path: string): boolean =>
  ['stdlib', 'node_modules', 'docs'].some((folder) => path.startsWith(join(packageFolder, folder) + sep));

function foldersAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

const require = createRequire(import.meta.url);
const tinyglobby = (): typeof import('tinyglobby') => require('tinyglobby');

/**
 * Those of the absolute `paths` that match `pattern` below `base`; by the library that matches files, over a file
 * system that has nothing but them. They are named from `name`, which is `base` as the caller calls it.
 */
export function globWith(
  paths: readonly string[],
  pattern: string,
  base: string,
  name: string,
): readonly string[] {
  if (paths.length === 0) return [];
  const folders = new Map<string, Map<string, boolean>>();
  for (const path of paths) enter(folders, path, false);
  const readdirSync = (folder: string) =>
    [...(folders.get(trimmed(folder)) ?? [])].map(([entry, isFolder]) => new Entry(entry, folder, isFolder));
  const fs = { readdirSync } as unknown as FileSystemAdapter;
  return tinyglobby()
    .globSync(pattern, { cwd: base, absolute: true, dot: false, fs })
    .map((path) => join(name, relative(base, path)));
}

const trimmed = (folder: string): string => (folder.length > 1 ? folder.replace(/\/+$/, '') : folder);

function enter(folders: Map<string, Map<string, boolean>>, path: string, isFolder: boolean): void {
  const folder = dirname(path);
  if (folder === path) return;
  const entries = folders.get(folder) ?? new Map<string, boolean>();
  folders.set(folder, entries);
  entries.set(path.slice(folder === '/' ? 1 : folder.length + 1), isFolder);
  enter(folders, folder, true);
}

/** As much of a `Dirent` as a walk looks at. */
class Entry {
  constructor(
    readonly name: string,
    readonly parentPath: string,
    private readonly folder: boolean,
  ) {}
  isFile = (): boolean => !this.folder;
  isDirectory = (): boolean => this.folder;
  isSymbolicLink = (): boolean => false;
}
