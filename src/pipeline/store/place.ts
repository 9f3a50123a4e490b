/** A file that one of many may place: it is there whole, or not at all. */
import { constants, copyFileSync, existsSync, linkSync, readFileSync, renameSync } from 'node:fs';
import { UserError } from '../../language/diagnostics/types.js';
import { discard, isOwn, type OwnForm } from '../../language/host/own-files.js';
import { notOurs, writing } from './store-diagnostics.js';

/** What file systems without links say; then the file is copied, for which another may see the beginning of it. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Shows what is at `ticket` at `path` too; `false` if something is there already. Throws a `UserError`. */
export function place(ticket: string, path: string): boolean {
  try {
    linkSync(ticket, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    // A network file system may have linked it, and have lost its own answer.
    if (code === 'EEXIST') return textOf(path) === textOf(ticket);
    if (NO_LINKS.has(code)) return copied(ticket, path);
    return writing(path, undefined, () => {
      throw error;
    });
  }
}

function copied(ticket: string, path: string): boolean {
  try {
    copyFileSync(ticket, path, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    return writing(path, undefined, () => {
      throw error;
    });
  }
}

/** `undefined` if nothing is there, or if it cannot be read. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Files that name a process. */
const NOTE: OwnForm = { name: /^/, kinds: ['file'] };

/**
 * Removes a file that someone left behind, but not one that another has just placed. `isStale` says of a text whether it
 * is the one that was left; `mark` makes the name that it gets meanwhile. Throws a `UserError` where something is there
 * that names no process.
 */
export function takeAway(path: string, mark: string, isStale: (text: string | undefined) => boolean): void {
  const text = textOf(path);
  if (existsSync(path) && !(isOwn(path, NOTE) && isNote(text ?? ''))) throw new UserError(notOurs(path));
  const aside = `${path}.stale.${mark}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // The other contender was faster.
  }
  if (!isStale(textOf(aside))) place(aside, path);
  discard(aside);
}

/** Whether a text names a process, or was one before a power cut, which leaves the beginning of it, or zeros. */
function isNote(text: string): boolean {
  const beginning = '{"pid":';
  return text.startsWith(beginning) || beginning.startsWith(text.replace(/\0+$/, ''));
}
