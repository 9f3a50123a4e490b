/** What can go wrong with releases, as diagnostics. */
import { UserError } from '../diagnostics/types.js';
import { DiskError } from '../source/disk.js';

const error = (code: string, file: string, message: string, help: string, notes?: readonly string[]) =>
  new UserError({ code, severity: 'error', message, at: { file, line: 0, column: 0 }, help, notes });

const WHY: Readonly<Partial<Record<DiskError['code'], string>>> = {
  full: 'the disk is full',
  exists: 'something else stands there',
  no_access: 'writing is not allowed',
};

const DISK_HELP: Readonly<Record<DiskError['code'], string>> = {
  full: 'free some space and run again; nothing of the new release was kept, and the current one is as it was',
  exists: 'something else stands where the release should go; move it away',
  no_access: 'give yourself the right to write there, or name another `target`',
  io: 'check the disk and the folder, then run again',
};

/** Runs something that writes; a disk that refuses becomes a `UserError`. */
export function writing<T>(work: () => T): T {
  try {
    return work();
  } catch (caught) {
    if (!(caught instanceof DiskError)) throw caught;
    const why = WHY[caught.code] ?? caught.detail;
    throw error('FTP0741', caught.path, `cannot write \`${caught.path}\`: ${why}`, DISK_HELP[caught.code]);
  }
}

export function smokeFailed(folder: string, prompt: string, why: string): UserError {
  return error(
    'FTP0742',
    folder,
    `the release does not answer ${JSON.stringify(prompt)}: ${why}`,
    'the current release is as it was; look at the evaluation, or change `smoke`',
  );
}

export function noReleases(folder: string): UserError {
  return error(
    'FTP0743',
    folder,
    `\`${folder}\` holds no release`,
    'run a pipeline with a deploy stage first',
  );
}

export function noEarlierRelease(folder: string, current: number | undefined): UserError {
  return error(
    'FTP0744',
    folder,
    current === undefined
      ? `no release of \`${folder}\` is current`
      : `there is no release before ${current} to go back to`,
    '`ftpc releases` lists what there is; name one with `--to`',
  );
}

export function noSuchRelease(folder: string, release: number, known: readonly number[]): UserError {
  return error(
    'FTP0745',
    folder,
    `there is no release ${release}`,
    known.length === 0
      ? 'run a pipeline with a deploy stage first'
      : `name ${known.length === 1 ? 'the one that there is' : 'one of those that there are'}: ${known.join(', ')}`,
  );
}

export function damagedRelease(folder: string, release: number, problems: readonly string[]): UserError {
  return error(
    'FTP0746',
    folder,
    `release ${release} is not as it was published, so it does not become current`,
    'publish it again, or go to another release',
    problems,
  );
}

export function changedWhileCopied(file: string): UserError {
  return error(
    'FTP0747',
    file,
    `\`${file}\` changed while it was copied`,
    'something else writes there; stop it and run again',
  );
}

/** `name` is `null` where the adapter does not name its base. */
export function noBase(folder: string, name: string | null): UserError {
  return error(
    'FTP0749',
    folder,
    name === null ? 'the adapter does not name its base' : `the adapter's base \`${name}\` is not here`,
    'name the folder of the base: `--base FOLDER`',
  );
}

export function noAdapter(folder: string): UserError {
  return error(
    'FTP0751',
    folder,
    `\`${folder}\` is no adapter, so it stands on no base`,
    'leave `--base` out',
  );
}

export function currentInTheWay(path: string): UserError {
  return error(
    'FTP0750',
    path,
    `\`${path}\` is no link, so it can't be moved to another release`,
    'move it away; ftpc keeps a symbolic link of this name there',
  );
}
