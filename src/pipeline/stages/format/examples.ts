/** Rows that are shown solved before a question, as lm-evaluation-harness writes them. */
import { type Examples, type Row, RowProblem } from './rendered-row.js';

/** The first examples of the same subject, each with an empty line after it; a row is no example of itself. */
export function examplesBefore(
  row: Row,
  count: number,
  examples: Examples,
  solved: (example: Row) => string,
): string {
  if (count === 0) return '';
  const itself = JSON.stringify(row);
  const shown: string[] = [];
  for (const example of examples.rows) {
    if (shown.length === count) break;
    const fits = examples.ofAnySubject === true || example['subject'] === row['subject'];
    if (fits && JSON.stringify(example) !== itself) shown.push(`${solved(example)}\n\n`);
  }
  if (shown.length < count)
    throw new RowProblem(
      'missing_column',
      `${shown.length} of ${count} examples${row['subject'] == null ? '' : ` of ${JSON.stringify(row['subject'])}`} are in the rows for them`,
    );
  return shown.join('');
}
