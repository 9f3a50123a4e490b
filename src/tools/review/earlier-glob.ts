/** Globs over paths that are no longer there. */
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { FileSystemAdapter } from 'tinyglobby';

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
