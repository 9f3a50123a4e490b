/** Files that match a pattern. Most patterns name files of one folder, and are answered without the library. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
/** Loaded when it is needed: opening it takes longer than checking a pipeline. */
const tinyglobby = (): typeof import('tinyglobby') => require('tinyglobby');

/**
 * Absolute paths of the files that match `pattern`, relative to `base`; in no order. A file that links lead to as well is
 * one file. A link to nothing is given where the pattern names one folder: who reads it says so.
 */
export const filesMatching = (pattern: string, base: string): readonly string[] =>
  distinct(
    filesOfFolder(pattern, base) ??
      tinyglobby().globSync(pattern, { cwd: base, absolute: true, dot: false, onlyFiles: true }),
  );

/** Each file once: by the path that is its own, or by the first of those that lead to it. */
function distinct(paths: readonly string[]): readonly string[] {
  const found = new Map<string, string>();
  for (const path of [...paths].sort()) {
    const real = realPath(path);
    if (path === real || !found.has(real)) found.set(real, path);
  }
  return [...found.values()];
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** `data/legal/*.jsonl`: plain names, and a last one in which single stars stand for any letters. */
const ONE_FOLDER = /^((?:\w[\w.-]*\/)*)((?:\*?[\w.-])*\*?)$/;

/** `undefined`: the pattern means more, or it matches a folder, of which the library says what it means. */
function filesOfFolder(pattern: string, base: string): readonly string[] | undefined {
  const [, folder, name] = ONE_FOLDER.exec(pattern) ?? [];
  if (folder === undefined || name === undefined || !name.includes('*')) return undefined;
  const form = new RegExp(`^${name.replaceAll('.', '\\.').replaceAll('*', '.*')}$`, 's');
  const found = entries(join(base, folder)).filter((entry) => form.test(entry.name));
  const isFileOrNothing = (entry: Dirent): boolean =>
    entry.isFile() || (entry.isSymbolicLink() && leadsToFileOrNothing(join(base, folder, entry.name)));
  if (!found.every(isFileOrNothing)) return undefined;
  return found
    .filter((entry) => name.startsWith('.') || !entry.name.startsWith('.'))
    .map((entry) => join(base, folder, entry.name));
}

function leadsToFileOrNothing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  } catch {
    // a link that leads back to itself
    return true;
  }
}

function entries(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
