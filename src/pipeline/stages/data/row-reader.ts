import { dataError } from '../../../language/diagnostics/catalogue/files.js';
import { UserError } from '../../../language/diagnostics/types.js';
import { parseExact } from '../../../language/host/exact-json.js';
import type { Host } from '../../../language/host/host.js';
import { isJson } from '../../../language/host/json.js';
import type { OutputFile, OutputFolder } from '../../../language/ir/outputs.js';
import { ReusedBytes } from '../reused-bytes.js';
import type { RowPlace } from '../row-report.js';
import type { Columns } from './column-names.js';
import { LONGEST_LINE } from './file-lines.js';
import { parseLine, type Row, RowFault } from './parse-row.js';
import { renamed } from './row-content.js';
import type { RowTable } from './row-table.js';
import type { SourceFile } from './sources.js';

/** Where the rows of a file are: in the file itself, or in a spool. */
export interface RowStore {
  /** Bytes from a row's place on: at least `length`, and `most` where there are as many. They may be in `room`, where they fit. */
  read(offset: number, length: number, most: number, room?: Uint8Array): Uint8Array;
}

export const inFile = (host: Host, path: string): RowStore => ({
  read: (offset, length, most, room) => host.readBytes(path, offset, Math.max(length, most), room),
});

/** Reads rows again from where they are. Of each file it keeps the last window, `ahead` bytes from the row on. */
export class RowReader {
  private readonly windows = new Map<number, { readonly start: number; readonly bytes: Uint8Array }>();

  constructor(
    readonly stores: readonly RowStore[],
    readonly files: readonly SourceFile[],
    readonly table: RowTable,
    readonly ahead: number,
  ) {}

  /** Good until those of the next row are asked for. */
  bytes(row: number): Uint8Array {
    const file = this.table.file.get(row);
    const offset = this.table.offset.get(row);
    const length = this.table.length.get(row);
    let window = this.windows.get(file);
    if (
      window === undefined ||
      offset < window.start ||
      offset + length > window.start + window.bytes.length
    ) {
      const store = this.stores[file];
      if (store === undefined) throw new RangeError(`row ${row} is in file ${file} of ${this.stores.length}`);
      window = { start: offset, bytes: store.read(offset, length, this.ahead, window?.bytes) };
      this.windows.set(file, window);
    }
    return window.bytes.subarray(offset - window.start, offset - window.start + length);
  }

  /** Where a row is, as reports show it. */
  placeOf(row: number): RowPlace {
    return { file: this.files[this.table.file.get(row)]?.name ?? '', line: this.table.line.get(row) };
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
    if (parsed instanceof RowFault) {
      const place = { ...this.placeOf(row), column: 0 };
      throw new UserError(
        dataError(place, 'the file changed while it was read', 'run again when nothing writes to it'),
      );
    }
    return renamed(parsed, this.columnsOf(row));
  }

  /** The same row; of one that has a chat, with its numbers and the order of its names as the text has them. */
  exact(row: number, known: Row): Row {
    if (!CHAT_COLUMNS.some((column) => Object.hasOwn(known, column))) return known;
    const exact = parseExact(new TextDecoder().decode(this.bytes(row)), 1);
    return isJson(exact) ? renamed(exact, this.columnsOf(row)) : known;
  }

  private columnsOf(row: number): Columns {
    return this.files[this.table.file.get(row)]?.columns ?? {};
  }
}

/** Columns that a chat template writes values of as JSON. */
const CHAT_COLUMNS = ['messages', 'conversations', 'tools'] as const;

/** Bytes that wait in memory: an `OutputFile` writes so many at once, so that they can be read again. */
const PIECE = 1 << 20;

/** What a spool takes. */
export const SPOOL_BYTES = PIECE;

/**
 * Rows as JSON in a file of their own, one after another, where their source has no place from which they could be read
 * again. The last rows are still in memory; a row is never in both.
 */
export class RowSpool {
  private readonly file: OutputFile;
  private readonly path: string;
  private waiting = new ReusedBytes(new ArrayBuffer(PIECE >> 4));
  private written = 0;

  constructor(
    readonly output: OutputFolder,
    readonly name: string,
    readonly host: Host,
  ) {
    this.file = output.open(name);
    this.path = `${output.path}/${name}`;
  }

  /** Place of the row. */
  add(bytes: Uint8Array): number {
    const offset = this.written + this.waiting.length;
    this.waiting.add(bytes);
    if (this.waiting.length >= PIECE) this.flush();
    return offset;
  }

  /** As that of a file. */
  read(offset: number, length: number, most: number, room?: Uint8Array): Uint8Array {
    const bytes = Math.max(length, most);
    if (offset < this.written) return this.host.readBytes(this.path, offset, bytes, room);
    const from = offset - this.written;
    // the memory in which it waits is that of others later
    return this.waiting.view().slice(from, from + bytes);
  }

  /** Writes what is still in memory, of which nothing is left. */
  close(): void {
    this.flush();
    this.waiting = new ReusedBytes(new ArrayBuffer(0));
    this.file.close();
  }

  remove(): void {
    this.output.remove(this.name);
  }

  private flush(): void {
    if (this.waiting.length > 0) this.file.write(this.waiting.view());
    this.written += this.waiting.length;
    this.waiting.clear();
  }
}
