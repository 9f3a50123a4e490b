/**
 * The hand-over from data to format: `<split>.jsonl` with one {@link DataRow} a line, in the order in which the
 * the rows in their files, general rows after them. Columns have their usual names here (`instruction`, `input`,
 * `output`), whatever they are called in the source; other columns pass through.
 */
import { join } from 'node:path';
import type { Host } from '../../../language/host/host.js';
import { textLines } from '../text-lines.js';
import type { SplitName } from './split.js';

export interface DataRow {
  /** Path as reports show it: relative to the working directory. */
  readonly file: string;
  readonly line: number;
  readonly row: Readonly<Record<string, unknown>>;
}

/** The rows of a split, one at a time. */
export function* readDataRows(host: Host, folder: string, split: SplitName): Iterable<DataRow> {
  const path = join(folder, `${split}.jsonl`);
  if (host.stat(path) === undefined) return;
  for (const line of textLines(host, path)) yield JSON.parse(line) as DataRow;
}
