/** The rows of a data stage's sources, as the survey of a format stage looks at them. */
import type { Host } from '../../../language/host/host.js';
import type { Stage } from '../../../language/ir/program.js';
import type { Columns } from '../data/column-names.js';
import type { Line } from '../data/file-lines.js';
import { parseLine, RowFault } from '../data/parse-row.js';
import { knownRows, rowsOf } from '../data/read/read-rows.js';
import { contentOf, renamed } from '../data/row-content.js';
import type { SourceFile } from '../data/sources.js';
import type { RowEntry } from '../row-report.js';
import type { EncodedRow } from './encode-row.js';
import type { RowEncoder } from './row-encoder.js';

/** The rows that are looked at, and what encodes them; of more than `maxRows`, some are. */
export interface Sources {
  readonly data: Stage;
  readonly counted: readonly CountedFile[];
  readonly host: Host;
  readonly encoder: RowEncoder;
  readonly maxRows: number;
}

export interface CountedFile {
  readonly file: SourceFile;
  readonly rows: number;
}

export async function countRows(host: Host, files: readonly SourceFile[]): Promise<readonly CountedFile[]> {
  const counted: CountedFile[] = [];
  for (const file of files) {
    let count = knownRows(file, host);
    if (count === undefined) {
      count = 0;
      for await (const batch of rowsOf(file, host)) for (const _ of batch) count++;
    }
    counted.push({ file, rows: count });
  }
  return counted;
}

export const sumOf = (counted: readonly CountedFile[]): number =>
  counted.reduce((sum, { rows }) => sum + rows, 0);

/** What the format stage keeps of a row, or why nothing. `isSound`: it is known that the data stage keeps it. */
export function keptOf(
  line: Line,
  columns: Columns,
  encoder: RowEncoder,
  isSound = false,
): readonly EncodedRow[] | Pick<RowEntry, 'reason' | 'detail'> {
  const parsed = parseLine(line);
  if (parsed instanceof RowFault) return parsed;
  const row = renamed(parsed, columns);
  const content = isSound ? undefined : contentOf(row, columns);
  if (content instanceof RowFault) return content;
  const outcome = encoder.encode(row);
  return 'reason' in outcome ? outcome : outcome.kept;
}
