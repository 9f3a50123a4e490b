/**
 * The hand-over from data to format: `<split>.jsonl` with one {@link DataRow} a line, in the order in which the
 * the rows in their files, general rows after them. Columns have their usual names here (`instruction`, `input`,
 * `output`), whatever they are called in the source; other columns pass through.
 */
import { join } from 'node:path';
import * as v from 'valibot';
import type { Host } from '../../../language/host/host.js';
import { anyObject, type Checked, count, ownJson } from '../../../language/host/json.js';
import { textLines } from '../text-lines.js';
import type { SplitName } from './split.js';

const DATA_ROW = v.object({
  /** Path as reports show it: relative to the working directory. */
  file: v.string(),
  line: count,
  row: anyObject,
});
type DataRow = Checked<typeof DATA_ROW>;

/** The rows of a split, one at a time. */
export function* readDataRows(host: Host, folder: string, split: SplitName): Iterable<DataRow> {
  const path = join(folder, `${split}.jsonl`);
  if (host.stat(path) === undefined) return;
  for (const line of textLines(host, path)) yield ownJson(DATA_ROW, line);
}
