/** Files that match a pattern. Most patterns name files of one folder, and are answered without the library. */
import { type Dirent, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
/** Loaded when it is needed: opening it takes longer than checking a pipeline. */
const tinyglobby = (): typeof import('tinyglobby') => require('tinyglobby');

/** Absolute paths of the files that match `pattern`, relative to `base`; in no order. */
export const filesMatching = (pattern: string, base: string): readonly string[] =>
  filesOfFolder(pattern, base) ??
  tinyglobby().globSync(pattern, { cwd: base, absolute: true, dot: false, onlyFiles: true });

/** `data/legal/*.jsonl`: plain names, and a last one in which single stars stand for any letters. */
const ONE_FOLDER = /^((?:\w[\w.-]*\/)*)((?:\*?[\w.-])*\*?)$/;

/** `undefined`: the pattern means more, or it matches a folder or a link, of which the library says what it means. */
function filesOfFolder(pattern: string, base: string): readonly string[] | undefined {
  const [, folder, name] = ONE_FOLDER.exec(pattern) ?? [];
  if (folder === undefined || name === undefined || !name.includes('*')) return undefined;
  const form = new RegExp(`^${name.replaceAll('.', '\\.').replaceAll('*', '.*')}$`, 's');
  const found = entries(join(base, folder)).filter((entry) => form.test(entry.name));
  if (found.some((entry) => !entry.isFile())) return undefined;
  return found
    .filter((entry) => name.startsWith('.') || !entry.name.startsWith('.'))
    .map((entry) => join(base, folder, entry.name));
}

function entries(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
