/**
 * The hand-over from data to format: `<split>.jsonl` with one {@link DataRow} a line, in the order of the rows in their
 * files, general rows after them; the training rows of several sources are interleaved. Columns have their usual names
 * here (`instruction`, `input`, `output`), whatever they are called in the source; other columns pass through.
 */

import { join } from 'node:path';
import * as v from 'valibot';
import { exactText, parseExact } from '../../../language/host/exact-json.js';
import type { Host } from '../../../language/host/host.js';
import { anyObject, count, type JsonOf, ownJson, ownValue } from '../../../language/host/json.js';
import type { OutputFolder } from '../../../language/ir/outputs.js';
import { ReusedBytes } from '../reused-bytes.js';
import { type DropCounts, type DropReason, type RowEntry, RowReport } from '../row-report.js';
import { NEWLINE, ownLines, textLines } from './file-lines.js';
import type { Outliers } from './length-outliers.js';
import type { RowReader } from './row-reader.js';
import { NONE } from './row-table.js';
import { type SplitName, splitNames } from './split.js';
import { StatisticsCounter } from './statistics.js';

const DATA_ROW = v.object({
  /** Path as reports show it: relative to the working directory. */
  file: v.string(),
  line: count,
  row: anyObject,
});
export type DataRow = JsonOf<typeof DATA_ROW>;

/** Of a row that may have a chat, whose calls a template writes as JSON. */
const CHAT = /"(?:messages|conversations|tools)":/;
/** Levels of a line that are objects whose order says nothing: the line, and its row. */
const PLAIN_LEVELS = 2;

/** The rows of a split, one at a time. */
export function* readDataRows(host: Host, folder: string, split: SplitName): Iterable<DataRow> {
  const path = join(folder, `${split}.jsonl`);
  if (host.stat(path) === undefined) return;
  for (const line of textLines(host, path)) yield parseDataRow(line);
}

/** A line that {@link writeRows} has written. */
export const parseDataRow = (line: string): DataRow =>
  CHAT.test(line) ? ownValue(DATA_ROW, parseExact(line, PLAIN_LEVELS)) : ownJson(DATA_ROW, line);

/** Lines of a split, as they are in its file. */
export interface LineBatch {
  readonly lines: Uint8Array<ArrayBuffer>;
  readonly rows: number;
}

/** Of a batch: rows, and bytes after which no other is added. */
export const BATCH = { rows: 256, bytes: 1 << 20 } as const;

/** The rows of a split, some at a time: those of a batch are good until the next is asked for. */
export function* dataLines(host: Host, folder: string, split: SplitName): Iterable<LineBatch> {
  const path = join(folder, `${split}.jsonl`);
  if (host.stat(path) === undefined) return;
  const lines = new ReusedBytes(new ArrayBuffer(BATCH.bytes >> 4));
  let rows = 0;
  for (const { bytes } of ownLines(host, path)) {
    lines.add(bytes);
    lines.add(LINE_END);
    rows++;
    if (rows < BATCH.rows && lines.length < BATCH.bytes) continue;
    yield { lines: lines.view(), rows };
    lines.clear();
    rows = 0;
  }
  if (rows > 0) yield { lines: lines.view(), rows };
}

const LINE_END = Uint8Array.of(NEWLINE);

interface RowCounts {
  readonly rows: number;
  readonly kept: number;
  readonly report: DropCounts;
  readonly splits: Readonly<Record<SplitName, number>>;
}

interface WriteOptions {
  /** The training split in another order than that in which the rows were read, some of them repeated. */
  readonly train?: Iterable<number>;
  /** What is unusual about the lengths of rows, which may be kept. */
  readonly outliers: Pick<Outliers, 'detailOf'>;
  /** What the report says besides. */
  readonly more: object;
  readonly breathe: (done: number) => Promise<void>;
}

/** Writes the rows of each split, the report and the statistics, in the order in which the rows were read. */
export async function writeRows(
  output: OutputFolder,
  reader: RowReader,
  { outliers, train, more, breathe }: WriteOptions,
): Promise<RowCounts> {
  const { table, files } = reader;
  const report = new RowReport(output);
  const statistics = new StatisticsCounter();
  const outputs = splitNames.map((name) => output.open(`${name}.jsonl`));
  const splits = { train: 0, valid: 0, test: 0 };
  const write = (row: number): void => {
    const split = table.split.get(row);
    const named = reader.row(row);
    const exact = reader.exact(row, named);
    const { file, line } = reader.placeOf(row);
    const written = { file, line, row: exact };
    outputs[split]?.write(`${exact === named ? JSON.stringify(written) : exactText(written)}\n`);
    statistics.add(named, split, files[table.file.get(row)]?.general === true);
    splits[splitNames[split] ?? 'train']++;
  };
  let kept = 0;
  for (let row = 0; row < table.count; row++) {
    await breathe(row);
    const fate = table.fate(row);
    if (fate === 'passed') continue;
    if (fate !== 'kept') {
      const detail = table.details.get(row) ?? detailOf(reader, row, fate);
      report.drop({ ...reader.placeOf(row), reason: fate, detail });
      continue;
    }
    kept++;
    if (train === undefined || table.split.get(row) !== 0) write(row);
  }
  let done = 0;
  for (const row of train ?? []) {
    await breathe(done++);
    write(row);
  }
  for (const file of outputs) file.close();
  output.write('statistics.json', `${JSON.stringify(statistics.result(), null, 2)}\n`);
  const counts = report.close(kept, more, warningsOf(reader, outliers));
  return { ...counts, report: report.dropped, splits };
}

/** What is unusual about rows that are kept. */
function* warningsOf(reader: RowReader, { detailOf: unusual }: WriteOptions['outliers']): Iterable<RowEntry> {
  const { table } = reader;
  const reason = 'contradiction';
  // of what is kept, nothing else has a counterpart
  for (const row of table.kept())
    if (table.other.get(row) !== NONE)
      yield { ...reader.placeOf(row), reason, detail: detailOf(reader, row, reason) };
  for (const row of table.kept()) {
    const detail = unusual(row);
    if (detail !== undefined) yield { ...reader.placeOf(row), reason: 'outlier', detail };
  }
}

const sentences: Readonly<Partial<Record<DropReason, (other: string, overlap?: number) => string>>> = {
  duplicate: (other) => `repeats ${other}`,
  near_duplicate: (other, overlap = 100) => `shares ${overlap}% of its word triples with ${other}`,
  contradiction: (other) => `has the same question as ${other} but another answer`,
  leak: (other, overlap) =>
    overlap === undefined ? `training sees it at ${other}` : `training sees ${overlap}% of it at ${other}`,
};

/** What a row has to do with another one. */
function detailOf(reader: RowReader, row: number, reason: DropReason): string {
  const { table } = reader;
  const other = table.other.get(row);
  if (other === NONE) return '';
  const { file, line } = reader.placeOf(other);
  return sentences[reason]?.(`${file}:${line}`, table.overlap(row)) ?? '';
}
