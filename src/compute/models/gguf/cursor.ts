import type { Host } from '../../../language/host/host.js';
import { readBytes } from '../read-file.js';
import { ModelError } from '../types.js';

const WINDOW = 1 << 20;
/** Of the largest vocabularies it is a tenth. */
const MAX_HEADER_BYTES = 200_000_000;
/** Of all lists of a header together. */
const MAX_ITEMS = 10_000_000;
/** A byte order mark is a token like any other. */
const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true });

export const HELP = 'Download the file again; it is damaged or not a GGUF file of version 2 or 3.';

/** Reads a GGUF header forwards, a window of the file at a time; every step is checked against the file's size. */
export class Cursor {
  private window: Uint8Array = new Uint8Array(0);
  private view = new DataView(this.window.buffer);
  private windowStart = 0;
  private offset = 0;
  private itemsRead = 0;

  constructor(
    private readonly host: Host,
    private readonly path: string,
    private readonly size: number,
  ) {}

  get position(): number {
    return this.offset;
  }

  fail(detail: string): never {
    throw new ModelError('gguf_invalid', this.path, detail, HELP);
  }

  /** What is valid, and not read. */
  unsupported(detail: string, help: string): never {
    throw new ModelError('gguf_unsupported', this.path, detail, help);
  }

  /** The length of a list. */
  items(what: string): number {
    const count = this.u64(what, MAX_ITEMS);
    this.itemsRead += count;
    if (this.itemsRead > MAX_ITEMS)
      this.fail(`The header lists ${this.itemsRead} values; at most ${MAX_ITEMS} are read.`);
    return count;
  }

  /** What the next `length` bytes hold. */
  take<Value>(length: number, get: (view: DataView, at: number) => Value): Value {
    const at = this.advance(length);
    return get(this.view, at);
  }

  u32(): number {
    return this.take(4, (view, at) => view.getUint32(at, true));
  }

  /** A 64-bit count, offset or size; refused where it can't be one. */
  u64(what: string, limit = Number.MAX_SAFE_INTEGER): number {
    const at = this.advance(8);
    const value = this.view.getUint32(at + 4, true) * 2 ** 32 + this.view.getUint32(at, true);
    if (value > limit) this.fail(`${what} is ${this.view.getBigUint64(at, true)}; at most ${limit} is read.`);
    return value;
  }

  string(what: string, limit: number): string {
    const length = this.u64(`The length of ${what}`, limit);
    const at = this.advance(length);
    return UTF_8.decode(this.window.subarray(at, at + length));
  }

  /** Where the next `length` bytes begin in the window, which has all of them. */
  private advance(length: number): number {
    const end = this.windowStart + this.window.length;
    if (this.offset + length > end || this.offset + length > MAX_HEADER_BYTES) this.readOn(length);
    const at = this.offset - this.windowStart;
    this.offset += length;
    return at;
  }

  private readOn(length: number): void {
    if (this.offset + length > MAX_HEADER_BYTES)
      this.fail(`The header is longer than ${MAX_HEADER_BYTES} bytes.`);
    if (length > this.size - this.offset)
      this.fail(`The header needs ${length} bytes at ${this.offset}, beyond the file's ${this.size}.`);
    this.windowStart = this.offset;
    const ahead = Math.min(Math.max(length, WINDOW), this.size - this.offset);
    this.window = readFile(this.host, this.path, this.offset, ahead);
    this.view = new DataView(this.window.buffer, this.window.byteOffset, this.window.byteLength);
  }
}

/** Bytes of the file, 8-byte aligned in memory. Throws a {@link ModelError}. */
export const readFile = (host: Host, path: string, start: number, length: number): Uint8Array =>
  readBytes(host, path, start, length, { code: 'gguf_invalid', help: HELP });
