import { noRows } from '../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { type DropReason, reasonText } from '../row-report.js';
import { isNotText, type Row } from './parse-row.js';
import type { RowReader } from './row-reader.js';

/** Rows that are shown, of all that were dropped. */
const SHOWN = 3;

/** No row for training: counts by reason, the first rows that were dropped with their place, and what helps. */
export function nothingToTrainOn(stage: string, reader: RowReader): UserError {
  const { table, files } = reader;
  const counts = new Map<string, number>();
  const dropped: number[] = [];
  for (let row = 0; row < table.count; row++) {
    const fate = table.fate(row);
    counts.set(fate, (counts.get(fate) ?? 0) + 1);
    if (fate !== 'kept' && fate !== 'passed' && dropped.length < SHOWN) dropped.push(row);
  }
  const diagnostic = noRows(stage, files[0]?.name ?? '');
  if (table.count === 0)
    return new UserError({
      ...diagnostic,
      notes: ['the files have no rows'],
      help: 'put rows into them, or use other files in `source`',
    });
  const summary = [...counts].map(([fate, count]) => `${count} ${reasonText(fate, count)}`).join(', ');
  const shown = dropped.map((row) => {
    const { file, line } = reader.placeOf(row);
    return `${file}:${line}: ${table.details.get(row) ?? table.fate(row)}`;
  });
  return new UserError({
    ...diagnostic,
    notes: [`of ${table.count} rows: ${summary}`, ...shown],
    help: helpFor(dropped, reader),
  });
}

/** What would help the first rows that were dropped. */
function helpFor(dropped: readonly number[], reader: RowReader): string {
  const { table, files } = reader;
  const withoutColumn = dropped.find((row) => table.fate(row) === ('missing_column' satisfies DropReason));
  if (withoutColumn !== undefined) {
    const columns = columnsFor(reader.row(withoutColumn));
    if (columns !== undefined)
      return `the names of columns differ: write \`columns: { ${columns} }\` in the source`;
    const name = 'name the columns in the source: `columns: { instruction: "…", output: "…" }`';
    const isCsv = files[table.file.get(withoutColumn)]?.format === 'csv';
    return isCsv ? `${name}; the first line of a CSV file has their names` : name;
  }
  const isEncoded = dropped.length > 0 && dropped.every((row) => isNotText(table.details.get(row) ?? ''));
  return isEncoded
    ? 'save the files as UTF-8, or convert them: `iconv -f latin1 -t utf-8`'
    : 'fix the rows, or use other files in `source`';
}

/** Columns by which templates read rows, in the order in which a source names them. */
const USUAL = ['instruction', 'input', 'output', 'prompt', 'completion', 'messages', 'text', 'label'];

/** `output: "Output"`: names of a row that differ from the usual ones by letter case or space alone. */
function columnsFor(row: Row): string | undefined {
  const found = USUAL.flatMap((usual) => {
    const own = Object.keys(row).find((name) => name.trim().toLowerCase() === usual);
    return own === undefined || own === usual ? [] : [`${usual}: ${JSON.stringify(own)}`];
  });
  return found.length === 0 ? undefined : found.join(', ');
}
