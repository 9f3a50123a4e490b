/**
 * What ftpc may remove. Everything that ever cleans up asks here: leftovers, `gc`, releases, caches, logs, locks that are
 * taken over. A folder of ftpc's may hold what others have put there, and may be a link or a mount; what does not have a
 * name that ftpc gives there, and is not what ftpc makes under it, stays.
 */
import { lstatSync, readFileSync, realpathSync, rmdirSync, rmSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';

type Kind = 'file' | 'folder' | 'link';

/** How ftpc calls something that it makes in a folder, and what that may be. */
export interface OwnForm {
  /** Of the whole name. */
  readonly name: RegExp;
  readonly kinds: readonly Kind[];
}

/**
 * Whether `path` has a form of ftpc's, and neither a link nor a mount point is on the way to it from `root`, which may be
 * a link itself, or a mount point within it.
 */
export function isOwn(path: string, { name, kinds }: OwnForm, root = dirname(path)): boolean {
  if (!name.test(basename(path))) return false;
  const kind = kindOf(path);
  if (kind === undefined || !kinds.includes(kind)) return false;
  for (let folder = dirname(path); folder !== root; folder = dirname(folder))
    if (folder === dirname(folder) || kindOf(folder) !== 'folder') return false;
  return !isMounted(path, root);
}

/** Removes what {@link isOwn}; whether it did. Throws what the system says. */
export function removeOwn(path: string, form: OwnForm, root?: string): boolean {
  if (!isOwn(path, form, root)) return false;
  rmSync(path, { recursive: true, force: true });
  return true;
}

/** The same for what the next one finds and removes, should the disk refuse now. */
export function sweepOwn(path: string, form: OwnForm, root?: string): void {
  try {
    removeOwn(path, form, root);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

/**
 * Takes away what this process has made itself, or wrote by a name that it reads again, as its own lock: no name that was found
 * in a folder. What a disk does not let go of now is left.
 */
export function discard(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

/** Removes a folder in which nothing is left. */
export function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

const isRefusal = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

/** What is at a path itself; `undefined` where nothing is, or a socket or a device. */
export function kindOf(path: string): Kind | undefined {
  const stat = lstat(path);
  if (stat?.isSymbolicLink()) return 'link';
  if (stat?.isDirectory()) return 'folder';
  return stat?.isFile() ? 'file' : undefined;
}

function lstat(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    // below a file, or where nobody may look
    return undefined;
  }
}

/** Whether something is mounted between `root` and `path`, or below `path`. */
function isMounted(path: string, root: string): boolean {
  const real = join(realpathSync(dirname(path)), basename(path));
  const start = realpathSync(root);
  const mounts = mountPoints();
  if (mounts === undefined) return lstatSync(real).dev !== statSync(start).dev;
  return mounts.some(
    (mount) => isBelow(mount, start) && (mount === real || isBelow(mount, real) || isBelow(real, mount)),
  );
}

const isBelow = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/** Bind mounts have the device of what they show, so that only the system's list tells; `undefined` where it has none. */
function mountPoints(): readonly string[] | undefined {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal) => fromOctal(octal)))
      .filter((mount) => mount !== '');
  } catch {
    return undefined;
  }
}

const fromOctal = (digits: string): string => String.fromCharCode(Number.parseInt(digits, 8));
