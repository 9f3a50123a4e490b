/** Files that match a pattern. Most patterns name files of one folder, and are answered without the library. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';
import type { FileSystemAdapter } from 'tinyglobby';
import { HostError } from './host.js';
import { wildcard } from './wildcards.js';

const require = createRequire(import.meta.url);
/** Loaded when it is needed: opening it takes longer than checking a pipeline. */
const tinyglobby = (): typeof import('tinyglobby') => require('tinyglobby');

/**
 * Absolute paths of the files that match `pattern`, relative to `base`; in no order. A file that links lead to as well is
 * one file. A link to nothing is given where the pattern names one folder: who reads it says so.
 * Throws a {@link HostError} `too_many` for a pattern that takes too long to follow.
 */
export const filesMatching = (pattern: string, base: string): readonly string[] =>
  distinct(filesOfFolder(pattern, base) ?? filesBelow(pattern, base));

/** Names that are looked at for one pattern. */
const MOST_NAMES = 100_000;

/**
 * What the library finds. It makes a regular expression of a pattern, which takes long where a name has many stars: it
 * gets one star for those, and what it finds is matched again. It passes over errors, so that a folder of nothing ends it.
 */
function filesBelow(pattern: string, base: string): readonly string[] {
  const { wide, isMeant } = simpler(pattern, base);
  let names = 0;
  const readdir = (folder: string, options: { withFileTypes: true }): Dirent[] => {
    if (names > MOST_NAMES) return [];
    const found = readdirSync(folder, options);
    names += found.length;
    return found;
  };
  const fs = { readdirSync: readdir } as FileSystemAdapter;
  const found = tinyglobby().globSync(wide, { cwd: base, absolute: true, dot: false, onlyFiles: true, fs });
  if (names > MOST_NAMES)
    throw new HostError('too_many', pattern, `more than ${MOST_NAMES} files and folders would be looked at`);
  return found.filter(isMeant);
}

interface Simpler {
  readonly wide: readonly string[];
  isMeant(path: string): boolean;
}

const MOST_CHARACTERS = 1_000;
const MOST_STARS = 2;
const MOST_GLOBSTARS = 3;
const MOST_GROUPS = 8;

function simpler(pattern: string, base: string): Simpler {
  const refuse = (why: string): never => {
    throw new HostError('too_many', pattern, why);
  };
  if (pattern.length > MOST_CHARACTERS) refuse(`it has more than ${MOST_CHARACTERS} characters`);
  const names = pattern.split('/');
  if (names.filter((name) => name.includes('**')).length > MOST_GLOBSTARS)
    refuse(`it has \`**\` more than ${MOST_GLOBSTARS} times`);
  if ((pattern.match(/[[({]/g)?.length ?? 0) > MOST_GROUPS || /[*+]\([^)]*[|*+(]/.test(pattern))
    refuse('its brackets stand for too many names');
  const starry = names.map((name) => (name.match(/\*+/g)?.length ?? 0) > MOST_STARS);
  if (!starry.includes(true)) return { wide: [pattern], isMeant: () => true };
  const isPlain = names.every((name) => name === '**' || !/[[\](){}!+@\\]|\*\*|^\.{1,2}$/.test(name));
  if (!isPlain || pattern.includes('//'))
    refuse(`a name in it has more than ${MOST_STARS} stars, next to other signs`);
  const matches = wildcard(pattern);
  // where a pattern does not end with a star, a folder that matches stands for the files in it
  const isWhole = pattern.endsWith('*');
  const wide = names.map((name, i) => (starry[i] ? (name.startsWith('.') ? '.*' : '*') : name)).join('/');
  return {
    wide: isWhole ? [wide] : [wide, `${wide}/**`],
    isMeant: (path) => {
      const all = (pattern.startsWith('/') ? path : relative(base, path)).split(sep);
      return all.some((_, i) => (!isWhole || i === all.length - 1) && matches(all.slice(0, i + 1).join('/')));
    },
  };
}

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
  const matches = wildcard(name.replace(/\*+/g, '*'));
  const found = entries(join(base, folder)).filter((entry) => matches(entry.name));
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
