/** Rows of a pipeline that is measured. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** JSON Lines into a folder: row `at` for each of `count`. */
export function writeRows(
  folder: string,
  file: string,
  count: number,
  row: (at: number) => Readonly<Record<string, unknown>>,
): void {
  const lines = Array.from({ length: count }, (_, at) => JSON.stringify(row(at)));
  writeFileSync(join(folder, file), lines.join('\n'));
}
