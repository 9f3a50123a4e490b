import type { DropReason } from '../row-report.js';

export type Row = Readonly<Record<string, unknown>>;

/** A row that can't be written out. */
export class RowProblem extends Error {
  override readonly name = 'RowProblem';
  constructor(
    readonly reason: Extract<
      DropReason,
      'missing_column' | 'wrong_type' | 'empty' | 'malformed' | 'no_supervised_token'
    >,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** A column that must hold text. */
export function text(row: Row, name: string): string {
  const value = row[name];
  if (value === undefined || value === null) throw new RowProblem('missing_column', `no column \`${name}\``);
  if (typeof value !== 'string') throw new RowProblem('wrong_type', `\`${name}\` is not a string`);
  if (value.trim() === '') throw new RowProblem('empty', `\`${name}\` is empty`);
  return value;
}

/** A column that may be missing or blank. */
export function optionalText(row: Row, name: string): string | undefined {
  const value = row[name] ?? '';
  if (typeof value !== 'string') throw new RowProblem('wrong_type', `\`${name}\` is not a string`);
  return value.trim() === '' ? undefined : value;
}
