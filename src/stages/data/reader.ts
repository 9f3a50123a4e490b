import { dataError } from '../../diagnostics/catalogue/files.js';
import { UserError } from '../../diagnostics/types.js';
import type { Host } from '../../source/host.js';
import { LONGEST_LINE } from './lines.js';
import { Fault, parseLine, type Row } from './parse.js';
import { renamed } from './shape.js';
import type { SourceFile } from './sources.js';
import type { RowTable } from './table.js';

/** Reads rows again from where they stand. Of each file it keeps the last window, `ahead` bytes from the row on. */
export class RowReader {
  readonly #windows = new Map<number, { readonly start: number; readonly bytes: Uint8Array }>();

  constructor(
    readonly host: Host,
    readonly files: readonly SourceFile[],
    readonly table: RowTable,
    readonly ahead: number,
  ) {}

  bytes(row: number): Uint8Array {
    const file = this.table.file.get(row);
    const offset = this.table.offset.get(row);
    const length = this.table.length.get(row);
    let window = this.#windows.get(file);
    if (
      window === undefined ||
      offset < window.start ||
      offset + length > window.start + window.bytes.length
    ) {
      const path = this.files[file]?.path ?? '';
      window = { start: offset, bytes: this.host.readBytes(path, offset, Math.max(this.ahead, length)) };
      this.#windows.set(file, window);
    }
    return window.bytes.subarray(offset - window.start, offset - window.start + length);
  }

  /** The row under usual names. It has been read before, so it parses unless the file was changed meanwhile. */
  row(row: number): Row {
    const bytes = this.bytes(row);
    const parsed = parseLine({
      bytes,
      number: 0,
      offset: 0,
      length: bytes.length,
      tooLong: bytes.length > LONGEST_LINE,
    });
    if (parsed instanceof Fault) {
      const place = {
        file: this.files[this.table.file.get(row)]?.name ?? '',
        line: this.table.line.get(row),
        column: 0,
      };
      throw new UserError(
        dataError(place, 'the file changed while it was read', 'run again when nothing writes to it'),
      );
    }
    return renamed(parsed, this.files[this.table.file.get(row)]?.columns ?? {});
  }
}
