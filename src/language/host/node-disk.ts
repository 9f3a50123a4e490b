/** The real disk. */
import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type Disk, DiskError, type DiskErrorCode } from './disk.js';
import { makeFolders } from './node-folders.js';
import { isOwn, removeOwn } from './own-files.js';
import { mayWrite, writerMark } from './process-identity.js';

export function nodeDisk(): Disk {
  return {
    writer: writerMark(),
    mayWrite,
    mayFill: (path) => guard(path, () => accessSync(nearest(path), constants.W_OK | constants.X_OK)),
    makeFolder: (path) =>
      guard(path, () => {
        const first = makeFolders(path);
        if (first !== undefined) sync(dirname(first));
      }),
    copy: (from, to) =>
      guard(to, () => {
        makeFolders(dirname(to));
        copyFileSync(from, to, constants.COPYFILE_FICLONE);
        sync(to);
        sync(dirname(to));
      }),
    write: (path, text) =>
      guard(path, () => {
        writeFileSync(path, text, { flush: true });
        sync(dirname(path));
      }),
    append: (path, text) => guard(path, () => appendFileSync(path, text, { flush: true })),
    rename: (from, to) =>
      guard(to, () => {
        renameSync(from, to);
        sync(dirname(to));
      }),
    link: (target, path) => guard(path, () => symlinkSync(target, path)),
    readLink,
    remove: (path, form) => guard(path, () => void removeOwn(path, form)),
    isOwn,
  };
}

/** The folder itself, or that of those above it in which it would begin. */
function nearest(path: string): string {
  if (lstatOf(path) === undefined) return nearest(dirname(path));
  // a link to nothing is in the way, too
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return path;
  throw Object.assign(new Error(`${path} is not a folder`), { code: 'ENOTDIR' });
}

/** What is at a path, which is nothing below a file. */
function lstatOf(path: string): unknown {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Forces a file or the names in a folder to the disk. */
function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EINVAL' || code === 'ENOTDIR') return undefined;
    throw diskError(path, error);
  }
}

const CODES: Readonly<Record<string, DiskErrorCode>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EEXIST: 'exists',
  ENOTDIR: 'exists',
  ENOTEMPTY: 'exists',
  EACCES: 'no_access',
  EPERM: 'no_access',
  EROFS: 'no_access',
};

function diskError(path: string, error: unknown): DiskError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new DiskError(CODES[code] ?? 'io', path, message);
}

function guard<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskError(path, error);
  }
}
