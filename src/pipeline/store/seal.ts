/** What makes a written folder a commit: its files are forced to disk and listed with their digests. */
import { join } from 'node:path';
import { digestsBelow, type FileDigest, filesBelow } from './digest.js';
import { syncFile, syncFolders, writeWhole } from './durable.js';

/** Lists the files of a committed folder with their digests; a folder without it is no commit. */
export const LIST = 'commit.json';

export interface Commit {
  readonly version: 1;
  readonly files: Readonly<Record<string, FileDigest>>;
}

/** Takes about as long as the disk does. Throws a `UserError`. */
export function seal(folder: string): void {
  for (const file of filesBelow(folder)) syncFile(join(folder, file));
  const commit: Commit = { version: 1, files: digestsBelow(folder) };
  writeWhole(join(folder, LIST), JSON.stringify(commit), { sync: true });
  syncFolders(folder);
}
