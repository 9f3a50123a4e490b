import type { Host } from '../../../language/host/host.js';
import type { OutputFile, OutputFolder } from '../../../language/ir/outputs.js';

/** Bytes that wait in memory: an `OutputFile` writes so many at once, so that they can be read again. */
const PIECE = 1 << 20;

/**
 * Rows as JSON in a file of their own, one after another, where their source has no place from which they could be read
 * again. The last rows are still in memory; a row is never in both.
 */
export class RowSpool {
  private readonly file: OutputFile;
  private readonly path: string;
  private waiting: Uint8Array[] = [];
  private written = 0;
  private size = 0;

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
    const offset = this.size;
    this.waiting.push(bytes.slice());
    this.size += bytes.length;
    if (this.size - this.written >= PIECE) this.flush();
    return offset;
  }

  /** At least `length` bytes from a row's place on, `most` where there are as many. */
  read(offset: number, length: number, most: number): Uint8Array {
    if (offset < this.written) return this.host.readBytes(this.path, offset, Math.max(length, most));
    const tail = this.waiting.length === 1 ? this.waiting : [Buffer.concat(this.waiting)];
    this.waiting = tail;
    return (tail[0] ?? new Uint8Array(0)).subarray(offset - this.written);
  }

  /** Writes what is still in memory. */
  close(): void {
    this.flush();
    this.file.close();
  }

  remove(): void {
    this.output.remove(this.name);
  }

  private flush(): void {
    if (this.waiting.length > 0) this.file.write(Buffer.concat(this.waiting));
    this.waiting = [];
    this.written = this.size;
  }
}
