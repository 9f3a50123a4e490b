import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { markStore } from './store-marker.js';

/**
 * A folder with those above it; gives the topmost one that was not there. Node's own `recursive` does not end where a
 * folder that exists takes no others, as `/proc`.
 */
export function makeFolders(path: string): string | undefined {
  try {
    makeOne(path);
    return path;
  } catch (error) {
    if (isFolder(path)) return undefined;
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    const first = makeFolders(parent);
    return make(path) ? (first ?? path) : first;
  }
}

/** What ftpc keeps next to a pipeline says whose it is, and that it is of no interest to git. */
function makeOne(path: string): void {
  mkdirSync(path);
  if (basename(path) !== '.ftp') return;
  writeFileSync(join(path, '.gitignore'), '*\n');
  markStore(path);
}

/** Whether it was not there. */
function make(path: string): boolean {
  try {
    makeOne(path);
    return true;
  } catch (error) {
    if (isFolder(path)) return false;
    throw error;
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
