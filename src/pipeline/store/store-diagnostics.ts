/** What can go wrong on a disk, as diagnostics: named functions, so that no message is written twice. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { error, warning, wholeFile } from '../../language/diagnostics/make.js';
import { UserError } from '../../language/diagnostics/types.js';

/** The operating system's codes for a failed write, in words. */
const CAUSES: Readonly<Record<string, { readonly why: string; readonly help: string }>> = {
  ENOSPC: { why: 'the disk is full', help: 'free some space and run again: completed outputs are kept' },
  EDQUOT: {
    why: 'the disk quota is used up',
    help: 'free some space and run again: completed outputs are kept',
  },
  EFBIG: {
    why: 'the file system, or a limit (`ulimit -f`), does not allow files of this size',
    help: 'use a folder on another disk, or raise the limit',
  },
  EIO: { why: 'the disk reported an error', help: 'check the disk (`dmesg`), then run again' },
  EROFS: { why: 'the file system is read-only', help: 'use a writable folder' },
  EACCES: { why: 'writing is not allowed', help: 'use a folder that you may write to' },
  EPERM: { why: 'writing is not allowed', help: 'use a folder that you may write to' },
  EMFILE: { why: 'too many files are open', help: 'raise the limit (`ulimit -n 4096`) and run again' },
  ENOENT: {
    why: 'its folder has disappeared',
    help: 'another program removes files under `.ftp`; stop it and run again',
  },
  ENOTDIR: { why: 'a file is where a folder is needed', help: 'move that file away and run again' },
  EEXIST: { why: 'a file is where a folder is needed', help: 'move that file away and run again' },
  ENAMETOOLONG: { why: 'its path is too long', help: 'run in a folder whose path is shorter' },
  EISDIR: { why: 'a folder is where a file is needed', help: 'move that folder away and run again' },
};

/** Those by which a file is cut short that had been begun. */
const CUT_SHORT: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO']);

/** What the system refuses for now, by its codes: another try may succeed. */
const FOR_NOW: Readonly<Record<string, string>> = {
  EAGAIN: 'the system is short of something for now',
  EBUSY: 'it is in use',
  EINTR: 'the system interrupted the write',
  ENFILE: 'too many files are open on this machine',
  ENOLCK: 'the file server has no lock to give',
  ESTALE: 'the file server has forgotten the file',
  ETIMEDOUT: 'the file server does not answer',
};

const cannotWriteNow = (path: string, why: string, code: string) =>
  error('FTP0815', wholeFile(path), `cannot write \`${path}\` for now: ${why} (${code})`, {
    help: 'a run tries again by itself (`--retries`); if this lasts, look at the machine or the file server',
  });

function cannotWrite(path: string, code: string, bytes: number | undefined) {
  const passing = FOR_NOW[code];
  if (passing !== undefined) return cannotWriteNow(path, passing, code);
  const cause = CAUSES[code] ?? { why: `the system reported ${code}`, help: 'fix that and run again' };
  return error('FTP0801', wholeFile(path), `cannot write \`${path}\`: ${cause.why}`, {
    notes:
      bytes === undefined || !CUT_SHORT.has(code)
        ? []
        : [`the file needs ${bytes} bytes; the incomplete file was removed`],
    help: cause.help,
  });
}

/** Runs something that writes `path`; what the system refuses becomes a `UserError`. */
export function writing<T>(path: string, bytes: number | undefined, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (typeof code !== 'string' || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw new UserError(cannotWrite(path, code === 'ENOENT' ? causeOfAbsence(path) : code, bytes));
  }
}

/** Node's recursive mkdir says ENOENT of a read-only disk too: the nearest folder that is there knows better. */
function causeOfAbsence(path: string): string {
  let folder = dirname(path);
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK);
    return 'ENOENT';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'ENOENT';
  }
}

export const corruptEntry = (path: string, detail: string) =>
  warning('FTP0802', wholeFile(path), `the stored output \`${path}\` is damaged and was removed: ${detail}`, {
    help: 'its stage runs again; if this repeats, check the disk',
  });

export const corruptOutside = (path: string, detail: string) =>
  warning('FTP1440', wholeFile(path), `\`${path}\` no longer matches what was published: ${detail}`, {
    help: 'its stage publishes it again, as a new release; delete the changed one once nothing uses it',
  });

export const corruptCheckpoint = (path: string, detail: string) =>
  warning('FTP0803', wholeFile(path), `the checkpoint \`${path}\` is damaged and is not used: ${detail}`, {
    help: 'training continues from the checkpoint before it, or from the start',
  });

export const lockHeld = (path: string, holder: string) =>
  error('FTP0804', wholeFile(path), `another run is active in this folder: ${holder}`, {
    help: 'wait for it to finish, or end it with `ftpc stop`, which keeps its progress',
  });

export const FOREIGN = 'FTP0807';

export const notAStore = (folder: string, names: readonly string[]) =>
  error(
    FOREIGN,
    wholeFile(folder),
    `\`${folder}\` is not a store, and not empty: it has ${namedFew(names)}`,
    {
      help: `name an empty folder or a new one; \`ftpc store init ${folder}\` makes this one a store, next to what is in it`,
    },
  );

export const unknownStore = (marker: string) =>
  error(
    'FTP0810',
    wholeFile(marker),
    `\`${marker}\` cannot be read: a later version of ftpc made it, or it is damaged`,
    {
      help: `use that version; where it is damaged, delete it, and \`ftpc store init ${dirname(marker)}\` makes it again`,
    },
  );

export const linkInStore = (path: string) =>
  error('FTP0808', wholeFile(path), `\`${path}\` is a link: the folders of a store are its own`, {
    help: 'move what it leads to here; to keep outputs elsewhere, name that place with `--store`, or make the whole store a link',
  });

export const notOurs = (path: string) =>
  error('FTP0809', wholeFile(path), `\`${path}\` is in the way, and ftpc did not make it`, {
    help: 'move it out of this folder, and run again',
  });

/** The first of them. */
const namedFew = (names: readonly string[]): string => {
  const shown = names.slice(0, 3).map((name) => `\`${name}\``);
  return names.length > 3 ? `${shown.join(', ')} and ${names.length - 3} more` : shown.join(' and ');
};

export const badOutputName = (name: string): Error =>
  new Error(`an output's name must stay inside its folder: ${name}`);
