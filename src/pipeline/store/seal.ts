/** What makes a written folder complete: its files are forced to disk and listed with their digests. */
import { join } from 'node:path';
import * as v from 'valibot';
import { type JsonOf, record, version } from '../../language/host/json.js';
import { SEALED_FILE, type SealedFiles } from '../../language/host/sealed-file.js';
import { checkedText } from '../../language/host/self-check.js';
import { filesBelow, sealFile } from './digest.js';
import { syncFile, syncFolders, writeWhole } from './durable.js';

/** Lists the files of a committed folder with their digests; a folder without it is no commit. */
export const LIST = 'commit.json';

export const COMMIT = v.object({ version: version(1), files: record(SEALED_FILE) });
type Commit = JsonOf<typeof COMMIT>;

/** Forces the files of a folder to disk, and gives what is kept about them. Throws a `UserError`. */
export const sealFiles = (folder: string): SealedFiles =>
  Object.fromEntries(
    filesBelow(folder).map((name) => {
      const path = join(folder, name);
      syncFile(path);
      return [name, sealFile(path)];
    }),
  );

/** Takes about as long as the disk does. Throws a `UserError`. */
export function sealCommit(folder: string): void {
  const commit: Commit = { version: 1, files: sealFiles(folder) };
  writeWhole(join(folder, LIST), checkedText(commit), { sync: true });
  syncFolders(folder);
}
