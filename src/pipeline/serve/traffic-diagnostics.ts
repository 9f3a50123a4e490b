/** What can go wrong with versions under traffic, as diagnostics. */
import { userError, wholeFile } from '../../language/diagnostics/make.js';

export const nothingCurrent = (folder: string, releases: number) =>
  userError(
    'FTP2101',
    wholeFile(folder),
    releases === 0 ? `\`${folder}\` has no releases` : `no release of \`${folder}\` is current`,
    {
      help:
        releases === 0
          ? 'run a pipeline with a deploy stage first'
          : '`ftpc rollback --to N` makes one current; `ftpc releases` lists them',
    },
  );

export const nothingToCompare = (folder: string, a: number | undefined, b: number | undefined) =>
  userError(
    'FTP2102',
    wholeFile(folder),
    a !== undefined && a === b
      ? `release ${a} cannot be compared with itself`
      : `\`${folder}\` has no canary to compare with the current release`,
    { help: 'name two releases: `--a 3 --b 4`; `ftpc releases` lists them' },
  );
