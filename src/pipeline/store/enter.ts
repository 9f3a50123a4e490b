/** What makes a folder a store, and what keeps it from being one. */
import { renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Diagnostic, UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { makeFolders } from '../../language/host/node-folders.js';
import { isOwn, kindOf } from '../../language/host/own-files.js';
import { MARKER, markStore, storeId } from '../../language/host/store-marker.js';
import { namesIn } from './claims.js';
import { type Layout, layoutOf, rootsOf } from './layout.js';
import { isClaimed } from './leftovers.js';
import { STORE_FORMS, UNMARKED } from './own-names.js';
import { FOREIGN, linkInStore, notAStore, unknownStore, writing } from './store-diagnostics.js';

/** The folders of a store. */
const FOLDERS = [...Object.keys(STORE_FORMS), 'tmp'];

/** What ftpc writes into a `.ftp`, next to the folders of the store. */
const ITS_FILES: readonly string[] = ['.gitignore', 'lock', 'speed.json'];

/** What nobody has put into a folder: a disk that was just formatted has it. */
const NOBODYS: ReadonlySet<string> = new Set(['lost+found']);

/**
 * Why a folder cannot be used as a store; `undefined` if it can, also where it is empty, or not there. A store of a
 * version that made no marker is known by what is in it.
 */
function storeProblem(folder: string): Diagnostic | undefined {
  const link = FOLDERS.map((name) => join(folder, name)).find((path) => kindOf(path) === 'link');
  if (link !== undefined) return linkInStore(link);
  if (storeId(folder) !== undefined) return undefined;
  const names = namesIn(folder).filter((name) => !NOBODYS.has(name));
  if (names.includes(MARKER)) return unknownStore(join(folder, MARKER));
  return names.every((name) => isEmptyOfOurs(folder, name)) || isKnown(folder)
    ? undefined
    : notAStore(folder, names);
}

/** A folder of a store with nothing in it: another process is about to make the store, or to look at it. */
const isEmptyOfOurs = (folder: string, name: string): boolean =>
  FOLDERS.includes(name) &&
  kindOf(join(folder, name)) === 'folder' &&
  namesIn(join(folder, name)).length === 0;

function isKnown(folder: string): boolean {
  if (basename(folder) === '.ftp' && ITS_FILES.some((name) => kindOf(join(folder, name)) === 'file'))
    return true;
  return FOLDERS.some((name) => {
    const { name: form } = STORE_FORMS[name] ?? UNMARKED;
    return namesIn(join(folder, name)).some((found) => form.test(found));
  });
}

/** Throws a `UserError` where the store of a directory, or the one that it shares, can be none. */
export function checkStores(host: Pick<Host, 'cwd' | 'store'>): void {
  for (const root of rootsOf(layoutOf(host))) {
    const problem = storeProblem(root);
    if (problem !== undefined) throw new UserError(problem);
  }
}

/** Makes the folders of a directory stores where they are none. Throws a `UserError` where they can be none. */
export function enterStore(layout: Layout): void {
  checkStores({ cwd: layout.cwd, store: layout.shared });
  for (const root of rootsOf(layout)) {
    if (storeId(root) !== undefined) continue;
    writing(root, undefined, () => {
      makeFolders(root);
      adopt(layout, root, markStore(root));
    });
  }
}

/** Makes a folder a store, whatever is in it; whether it was none. Throws a `UserError`. */
export function initStore(root: string): boolean {
  const problem = storeProblem(root);
  if (problem !== undefined && problem.code !== FOREIGN) throw new UserError(problem);
  if (storeId(root) !== undefined) return false;
  writing(root, undefined, () => {
    makeFolders(root);
    markStore(root);
  });
  return true;
}

/** What was left of outputs in a store without an id gets it, so that it is swept as any other. */
function adopt(layout: Layout, root: string, id: string): void {
  const folder = join(root, 'tmp');
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (!isOwn(path, UNMARKED, root) || isClaimed(layout, name.slice(0, 64))) continue;
    renameSync(path, path.replace(/\.(?=[^.]*$)/, `.${id}.`));
  }
}
