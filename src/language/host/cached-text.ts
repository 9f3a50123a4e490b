/** Small files of the user's cache: what is lost is found out again. */
import { readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders } from './node-folders.js';
import { discard, type OwnForm, sweepOwn } from './own-files.js';
import { markOf } from './process-identity.js';

/** Files that one folder keeps; those that were written longest ago go first. */
const MOST_FILES = 500;

/** Writes it in one step, if it can be written. */
export function writeCachedText(path: string, text: string): void {
  const temporary = `${path}.${markOf()}.tmp`;
  try {
    makeFolders(dirname(path));
    sweep(dirname(path));
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch {
    discard(temporary);
  }
}

function sweep(folder: string): void {
  const names = readdirSync(folder).filter((name) => CACHED.name.test(name));
  if (names.length < MOST_FILES) return;
  const ages = names.map((name) => ({ path: join(folder, name), time: timeOf(join(folder, name)) }));
  ages.sort((a, b) => b.time - a.time);
  for (const { path } of ages.slice(MOST_FILES / 2)) sweepOwn(path, CACHED);
}

/** Named by a digest of what they are about; those that a killed process was writing among them. */
const CACHED: OwnForm = { name: /^[0-9a-f]{16,64}\.json(?:\.[\d-a-f]+\.tmp)?$/, kinds: ['file'] };

const timeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
