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
  | 'too_long'
  | 'no_supervised_token';

export interface RowEntry {
  readonly file: string;
  readonly line: number;
  readonly reason: DropReason;
  readonly detail: string;
}

/**
 * `report.json` of a data or format stage (docs/schema/stage-report.json): every row that was not kept is in it.
 * Entries are written as they come, so that memory does not grow with them; warnings are kept until the end.
 */
export class RowReport {
  private readonly file: OutputFile;
  private readonly counts = new Map<DropReason, number>();
  private readonly first = new Map<DropReason, RowEntry>();
  private readonly warnings: RowEntry[] = [];
  private entries = 0;

  constructor(output: OutputFolder) {
    this.file = output.open('report.json');
    this.file.write('{\n  "version": 1,\n  "dropped": [');
  }

  drop(entry: RowEntry): void {
    if (!this.first.has(entry.reason)) this.first.set(entry.reason, entry);
    this.counts.set(entry.reason, (this.counts.get(entry.reason) ?? 0) + 1);
    this.file.write(`${this.entries === 0 ? '' : ','}\n    ${JSON.stringify(entry)}`);
    this.entries++;
  }

  warn(entry: RowEntry): void {
    this.warnings.push(entry);
  }

  get dropped(): number {
    return this.entries;
  }

  count(reason: DropReason): number {
    return this.counts.get(reason) ?? 0;
  }

  /** The first row of every reason, the most common reason first. */
  get examples(): readonly RowEntry[] {
    return [...this.first.values()].sort((a, b) => this.count(b.reason) - this.count(a.reason));
  }

  /** `rows` = `kept` + dropped. */
  close(kept: number): { readonly rows: number; readonly kept: number } {
    const rows = kept + this.entries;
    const rest = JSON.stringify(
      { warnings: this.warnings, rows, kept, counts: Object.fromEntries(this.counts) },
      null,
      2,
    );
    this.file.write(`${this.entries === 0 ? '' : '\n  '}],${rest.slice(1)}\n`);
    this.file.close();
    return { rows, kept };
  }
}
