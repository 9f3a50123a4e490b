import type { OutputFile, OutputFolder } from '../../language/ir/outputs.js';

/** Why a row was not kept. */
export type DropReason =
  | 'malformed'
  | 'missing_column'
  | 'wrong_type'
  | 'empty'
  | 'duplicate'
  | 'near_duplicate'
  | 'contradiction'
  | 'leak'
  | 'outlier'
  | 'unbalanced'
  | 'too_long'
  | 'no_supervised_token';

/** What is counted, where its name alone would not say it: of one, and of several. */
const ONE: Readonly<Record<string, string>> = {
  missing_column: 'without a column',
  wrong_type: 'of a wrong type',
  no_supervised_token: 'without a supervised token',
  outlier: 'of unusual length',
};
const MANY: Readonly<Record<string, string>> = {
  ...ONE,
  duplicate: 'duplicates',
  near_duplicate: 'near duplicates',
  contradiction: 'contradictions',
  leak: 'leaks',
};

/** `without a column`, `duplicates`: why so many rows were dropped, after their number. */
export const reasonText = (reason: string, rows: number): string =>
  (rows === 1 ? ONE : MANY)[reason] ?? reason.replaceAll('_', ' ');

/** `file` as reports show it. */
export interface RowPlace {
  readonly file: string;
  readonly line: number;
}

export interface RowEntry extends RowPlace {
  readonly reason: DropReason;
  readonly detail: string;
}

/** What a mix of several sources took of one: `rows` for training, of which `used` + `left`; and `repeated` uses more. */
export interface SourceCounts {
  readonly source: string;
  readonly rows: number;
  readonly used: number;
  readonly repeated: number;
  readonly left: number;
}

/** Rows that were not kept, counted by the reason. */
export class DropCounts {
  private readonly first = new Map<DropReason, RowEntry & { count: number }>();

  add(entry: RowEntry): void {
    const known = this.first.get(entry.reason);
    if (known === undefined) this.first.set(entry.reason, { ...entry, count: 1 });
    else known.count++;
  }

  get rows(): number {
    return [...this.first.values()].reduce((sum, { count }) => sum + count, 0);
  }

  count(reason: DropReason): number {
    return this.first.get(reason)?.count ?? 0;
  }

  /** The first row of every reason, the most common reason first. */
  get examples(): readonly RowEntry[] {
    return [...this.first.values()].sort((a, b) => b.count - a.count);
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.first].map(([reason, { count }]) => [reason, count]));
  }
}

/**
 * `report.json` of a data or format stage (docs/schema/stage-report.json): every row that was not kept is in it.
 * Entries are written as they come, so that memory does not grow with them; warnings are kept until the end.
 */
export class RowReport {
  readonly dropped = new DropCounts();
  private readonly file: OutputFile;
  private readonly warnings: RowEntry[] = [];

  constructor(output: OutputFolder) {
    this.file = output.open('report.json');
    this.file.write('{\n  "version": 1,\n  "dropped": [');
  }

  drop(entry: RowEntry): void {
    this.file.write(`${this.dropped.rows === 0 ? '' : ','}\n    ${JSON.stringify(entry)}`);
    this.dropped.add(entry);
  }

  warn(entry: RowEntry): void {
    this.warnings.push(entry);
  }

  /** `rows` = `kept` + dropped. `more`: what else a stage says of its rows; `last`: warnings that need not be kept. */
  close(
    kept: number,
    more: object = {},
    last: Iterable<RowEntry> = [],
  ): { readonly rows: number; readonly kept: number } {
    const { file, dropped: counts } = this;
    const rows = kept + counts.rows;
    file.write(`${counts.rows === 0 ? '' : '\n  '}],\n  "warnings": [`);
    let warned = 0;
    for (const entries of [this.warnings, last])
      for (const entry of entries) file.write(`${warned++ === 0 ? '' : ','}${indented(entry)}`);
    const rest = JSON.stringify({ rows, kept, counts, ...more }, null, 2);
    file.write(`${warned === 0 ? '' : '\n  '}],${rest.slice(1)}\n`);
    file.close();
    return { rows, kept };
  }
}

/** As in a list of an object that is written with two spaces a level. */
const indented = (entry: RowEntry): string =>
  `\n${JSON.stringify(entry, null, 2)}`.replaceAll('\n', '\n    ');
