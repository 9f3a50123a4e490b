/** What makes a written folder a commit: its files are forced to disk and listed with their digests. */
import { join } from 'node:path';
import * as v from 'valibot';
import { count, type JsonOf, record, sha256, version } from '../../language/host/json.js';
import { digestsBelow, filesBelow } from './digest.js';
import { syncFile, syncFolders, writeWhole } from './durable.js';

/** Lists the files of a committed folder with their digests; a folder without it is no commit. */
export const LIST = 'commit.json';

export const COMMIT = v.object({ version: version(1), files: record(v.object({ bytes: count, sha256 })) });
type Commit = JsonOf<typeof COMMIT>;

/** Takes about as long as the disk does. Throws a `UserError`. */
export function seal(folder: string): void {
  for (const file of filesBelow(folder)) syncFile(join(folder, file));
  const commit: Commit = { version: 1, files: digestsBelow(folder) };
  writeWhole(join(folder, LIST), JSON.stringify(commit), { sync: true });
  syncFolders(folder);
}
