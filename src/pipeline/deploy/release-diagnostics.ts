/** What can go wrong with releases, as diagnostics. */
import { userError, wholeFile } from '../../language/diagnostics/make.js';
import { DiskError } from '../../language/host/disk.js';

const error = (code: string, file: string, message: string, help: string, notes?: readonly string[]) =>
  userError(code, wholeFile(file), message, { help, notes });

const WHY: Readonly<Partial<Record<DiskError['code'], string>>> = {
  full: 'the disk is full',
  exists: 'something else is already there',
  no_access: 'writing is not allowed',
};

const DISK_HELP: Readonly<Record<DiskError['code'], string>> = {
  full: 'free some space and run again; the new release was discarded, and the current one is unchanged',
  exists: 'something else is in the place of the release; move it away',
  no_access: 'get write permission there, or choose another `target`',
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

export const smokeFailed = (folder: string, prompt: string, why: string) =>
  error(
    'FTP0742',
    folder,
    `the release does not answer ${JSON.stringify(prompt)}: ${why}`,
    'the current release is unchanged; check the evaluation, or change `smoke`',
  );

export const noReleases = (folder: string) =>
  error('FTP0743', folder, `\`${folder}\` has no releases`, 'run a pipeline with a deploy stage first');

export const noEarlierRelease = (folder: string, current: number | undefined) =>
  error(
    'FTP0744',
    folder,
    current === undefined
      ? `no release of \`${folder}\` is current`
      : `there is no release before ${current} to go back to`,
    '`ftpc releases` lists them; choose one with `--to`',
  );

export const noCanary = (folder: string, current: number | undefined) =>
  error(
    'FTP2100',
    folder,
    `\`${folder}\` has no canary to promote${current === undefined ? '' : `: release ${current} is current and gets every request`}`,
    'a deploy stage with `canary = 10%` publishes one; `ftpc rollback --to N` makes any other release current',
  );

export const noSuchRelease = (folder: string, release: number, known: readonly number[]) =>
  error(
    'FTP0745',
    folder,
    `there is no release ${release}`,
    known.length === 0
      ? 'run a pipeline with a deploy stage first'
      : `choose ${known.length === 1 ? 'the only release' : 'one of the releases'}: ${known.join(', ')}`,
  );

export const damagedRelease = (folder: string, release: number, problems: readonly string[]) =>
  error(
    'FTP0746',
    folder,
    `release ${release} differs from what was published, so it was not made current`,
    'publish it again, or choose another release',
    problems,
  );

export const changedWhileCopied = (file: string) =>
  error(
    'FTP0747',
    file,
    `\`${file}\` changed while it was copied`,
    'another program writes to it; stop that program and run again',
  );

/** `name` is `null` if the adapter does not name its base. */
export const noBase = (folder: string, name: string | null) =>
  error(
    'FTP0749',
    folder,
    name === null ? 'the adapter does not name its base' : `the adapter's base \`${name}\` was not found`,
    'give the folder of the base: `--base FOLDER`',
  );

export const otherBase = (folder: string, damage: string) =>
  error(
    'FTP1443',
    folder,
    `the base \`${folder}\` is not the one that the release was made over: ${damage}`,
    'put the files back as they were; `--base FOLDER` uses another base without this check',
  );

export const noAdapter = (folder: string) =>
  error('FTP0751', folder, `\`${folder}\` is not an adapter, so it has no base`, 'leave `--base` out');

export const otherThanLink = (path: string) =>
  error(
    'FTP0750',
    path,
    `\`${path}\` is not a symbolic link, so it cannot be pointed to a release`,
    'move it away; ftpc needs a symbolic link with this name there',
  );
