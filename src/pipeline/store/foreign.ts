/** What others have put into a folder that ftpc made: with it, the folder stays. */
import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { JsonFault } from '../../language/host/json.js';
import { parseChecked } from '../../language/host/self-check.js';
import { STAGE_FILE, STAGE_RECORD } from '../../language/ir/outputs.js';

/** Of an output: what its record does not list. Where that is damaged, nobody knows, and it is ftpc's all the same. */
export function foreignInOutput(folder: string): readonly string[] {
  const path = join(folder, STAGE_FILE);
  if (!existsSync(path)) return foreignIn(folder, () => false);
  const record = parseChecked(STAGE_RECORD, readFileSync(path, 'utf8'));
  if (record instanceof JsonFault) return [];
  return foreignIn(folder, (name) => name === STAGE_FILE || Object.hasOwn(record.files, name));
}

/** Of a run: its journal and report, what its stages printed, and the trace of a bug. */
export const foreignInRun = (folder: string): readonly string[] =>
  foreignIn(folder, (name) => /^(?:journal\.jsonl|report\.html|crash\.txt|[^/]+\.out)$/.test(name));

/** Names with `/` between folders. A folder counts by what is in it, and one with nothing in it as somebody's. */
function foreignIn(folder: string, isOurs: (name: string) => boolean): readonly string[] {
  const nameOf = (entry: Dirent): string =>
    relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) =>
      entry.isDirectory()
        ? readdirSync(join(entry.parentPath, entry.name)).length === 0
        : !entry.isFile() || !isOurs(nameOf(entry)),
    )
    .map(nameOf);
}
