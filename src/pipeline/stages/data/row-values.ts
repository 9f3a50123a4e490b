/** Values of a column that rows are told apart by: groups of a split, strata, what is balanced. */
import { tooManyValues } from '../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { type Row, RowFault } from './parse-row.js';
import type { Column } from './scratch.js';

/** The value in a column, by its usual name or its own. `what`: what the rows are, by this column: `split`. */
export function valueIn(parsed: Row, named: Row, column: string, what: string): string | RowFault {
  const value = [named, parsed].find((row) => Object.hasOwn(row, column))?.[column];
  if (value === undefined || value === null)
    return new RowFault('missing_column', `no column \`${column}\`, by which the rows are ${what}`);
  if (typeof value === 'object')
    return new RowFault(
      'wrong_type',
      `/${column}, by which the rows are ${what}, must be a string or number`,
    );
  return String(value);
}

/** More different values are no domains or labels, and each is held in memory. */
const MOST_VALUES = 10_000;

/** The values of a column, numbered as they come; `numbers` has that of each row. */
export class ColumnValues {
  readonly names: string[] = [];
  private readonly known = new Map<string, number>();

  constructor(
    readonly column: string,
    readonly what: string,
    readonly numbers: Column,
  ) {}

  /** Why the row has none; `file` as reports show it. */
  note(row: number, value: string, place: { readonly file: string; readonly line: number }): void {
    let number = this.known.get(value);
    if (number === undefined) {
      number = this.names.push(value) - 1;
      this.known.set(value, number);
      if (number === MOST_VALUES)
        throw new UserError(tooManyValues({ ...place, column: 0 }, this.column, this.what, MOST_VALUES));
    }
    this.numbers.set(row, number);
  }

  nameOf(row: number): string {
    return this.names[this.numbers.get(row)] ?? '';
  }

  /** How many of these rows have each value. */
  count(rows: Iterable<number>): number[] {
    const counts = this.names.map(() => 0);
    for (const row of rows) {
      const number = this.numbers.get(row);
      counts[number] = (counts[number] ?? 0) + 1;
    }
    return counts;
  }
}
