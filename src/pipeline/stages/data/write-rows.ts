import type { OutputFolder } from '../../../language/ir/outputs.js';
import { type RowEntry, RowReport } from '../row-report.js';
import type { RowReader } from './row-reader.js';
import { NONE, type RowTable } from './row-table.js';
import type { SourceFile } from './sources.js';
import { type SplitName, splitNames } from './split.js';
import { StatisticsCounter } from './statistics.js';

interface RowCounts {
  readonly rows: number;
  readonly kept: number;
  readonly splits: Readonly<Record<SplitName, number>>;
}

/** The rows that were read, in their order, and what was found of them. */
interface CollectedRows {
  readonly table: RowTable;
  readonly files: readonly SourceFile[];
  readonly reader: RowReader;
  /** Numbers of rows that contradict an earlier one. */
  readonly contradictions: readonly number[];
}

/** Writes the rows of each split, the report and the statistics, in the order in which the rows were read. */
export async function writeRows(
  output: OutputFolder,
  { table, files, reader, contradictions }: CollectedRows,
  breathe: (done: number) => Promise<void>,
): Promise<RowCounts> {
  const report = new RowReport(output);
  const statistics = new StatisticsCounter();
  const outputs = splitNames.map((name) => output.open(`${name}.jsonl`));
  const splits = { train: 0, valid: 0, test: 0 };
  const place = (row: number): { readonly file: string; readonly line: number } => ({
    file: files[table.file.get(row)]?.name ?? '',
    line: table.line.get(row),
  });
  for (let row = 0; row < table.count; row++) {
    await breathe(row);
    const fate = table.fate(row);
    if (fate === 'passed') continue;
    if (fate !== 'kept') {
      report.drop({ ...place(row), reason: fate, detail: detailOf(table, row, place) });
      continue;
    }
    const split = table.split.get(row);
    const source = files[table.file.get(row)];
    const named = reader.row(row);
    outputs[split]?.write(`${JSON.stringify({ ...place(row), row: named })}\n`);
    statistics.add(named, split, source?.general === true);
    splits[splitNames[split] ?? 'train']++;
  }
  for (const row of contradictions) if (table.is(row, 'kept')) report.warn(warningOf(table, row, place));
  for (const file of outputs) file.close();
  output.write('statistics.json', `${JSON.stringify(statistics.result(), null, 2)}\n`);
  const counts = report.close(splits.train + splits.valid + splits.test);
  return { ...counts, splits };
}

type PlaceOf = (row: number) => { readonly file: string; readonly line: number };

const warningOf = (table: RowTable, row: number, place: PlaceOf): RowEntry => ({
  ...place(row),
  reason: 'contradiction',
  detail: sentences.contradiction(where(table, row, place), 0),
});

const where = (table: RowTable, row: number, place: PlaceOf): string => {
  const { file, line } = place(table.other.get(row));
  return `${file}:${line}`;
};

const percent = (overlap: number): string => `${Math.round(overlap * 100)} %`;

const sentences: Readonly<Record<string, (other: string, overlap: number) => string>> & {
  readonly contradiction: (other: string, overlap: number) => string;
} = {
  duplicate: (other) => `repeats ${other}`,
  near_duplicate: (other, overlap) => `shares ${percent(overlap)} of its word triples with ${other}`,
  contradiction: (other) => `has the same question as ${other} but another answer`,
  leak: (other, overlap) =>
    overlap === 1 ? `training sees it at ${other}` : `training sees ${percent(overlap)} of it at ${other}`,
};

function detailOf(table: RowTable, row: number, place: PlaceOf): string {
  const known = table.details.get(row);
  if (known !== undefined || table.other.get(row) === NONE) return known ?? '';
  return sentences[table.fate(row)]?.(where(table, row, place), table.overlap.get(row)) ?? '';
}
