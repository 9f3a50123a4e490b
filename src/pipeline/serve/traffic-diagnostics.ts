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
