/** Small files of the user's cache: what is lost is found out again. */
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders } from './node-folders.js';

/** Files that one folder keeps; those that were written longest ago go first. */
const MOST_FILES = 500;

/** Writes it in one step, if it can be written. */
export function writeCachedText(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    makeFolders(dirname(path));
    sweep(dirname(path));
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch {
    rmSync(temporary, { force: true });
  }
}

function sweep(folder: string): void {
  const names = readdirSync(folder);
  if (names.length < MOST_FILES) return;
  const ages = names.map((name) => ({ path: join(folder, name), time: timeOf(join(folder, name)) }));
  ages.sort((a, b) => b.time - a.time);
  for (const { path } of ages.slice(MOST_FILES / 2)) rmSync(path, { force: true });
}

const timeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
