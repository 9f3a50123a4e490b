/** What makes a written folder a commit: its files are forced to disk and listed with their digests. */
import { join } from 'node:path';
import * as v from 'valibot';
import { type JsonOf, record, version } from '../../language/host/json.js';
import { SEALED_FILE } from '../../language/host/sealed-file.js';
import { checkedText } from '../../language/host/self-check.js';
import { filesBelow, sealFilesBelow } from './digest.js';
import { syncFile, syncFolders, writeWhole } from './durable.js';

/** Lists the files of a committed folder with their digests; a folder without it is no commit. */
export const LIST = 'commit.json';

export const COMMIT = v.object({ version: version(1), files: record(SEALED_FILE) });
type Commit = JsonOf<typeof COMMIT>;

/** Takes about as long as the disk does. Throws a `UserError`. */
export function seal(folder: string): void {
  for (const file of filesBelow(folder)) syncFile(join(folder, file));
  const commit: Commit = { version: 1, files: sealFilesBelow(folder) };
  writeWhole(join(folder, LIST), checkedText(commit), { sync: true });
  syncFolders(folder);
}
