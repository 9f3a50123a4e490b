import type { Host } from '../../../language/host/host.js';

/** A row of a data file, before it is looked at: a JSON object as text, or why there is no such object. */
export interface Line {
  /** Where it begins, from 1; blank lines count. For files without lines, the number of the row. */
  readonly number: number;
  /** Place in the file: where the row is read again. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Longer than {@link LONGEST_LINE}: `bytes` holds nothing, `length` is its true length. */
  readonly tooLong: boolean;
  readonly length: number;
  /** Why no object could be made of it, where its form is not that of its file. */
  readonly fault?: string;
}

const NOTHING = new Uint8Array(0);

/** A row that is not text in its file, as the JSON that it stands for. */
export function rowLine(number: number, json: string): Line {
  const bytes = Buffer.from(json);
  return { number, offset: 0, bytes, tooLong: false, length: bytes.length };
}

/** A row of which no object can be made. */
export const faultyLine = (number: number, fault: string): Line => ({
  ...{ number, offset: 0, bytes: NOTHING, tooLong: false, length: 0, fault },
});

/**
 * Cuts a file that comes in pieces into rows. A piece is cut while its rows are asked for, so that none of them waits for others: all
 * must be asked for before the next piece, which may have the same memory.
 */
export interface Splitter {
  push(bytes: Uint8Array): Iterable<Line>;
  /** What was still open. Throws a `UserError` if the file cannot end here. */
  end(): readonly Line[];
}

/** A longer line is not a row: a file without line ends must not end in memory as a whole. */
export const LONGEST_LINE = 64 << 20;

/** Bytes that are read at once. */
const WINDOW = 1 << 20;
export const NEWLINE = 10;
export const RETURN = 13;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

interface Windows {
  readonly window?: number;
  /** Each piece takes the memory of the one before. */
  readonly reuse?: boolean;
}

/** The file's pieces, one after another. Throws a `HostError`. */
export function* windowsOf(
  host: Host,
  path: string,
  { window = WINDOW, reuse = false }: Windows = {},
): Iterable<Uint8Array> {
  let room: Uint8Array | undefined;
  for (let start = 0; ; start += window) {
    const bytes = host.readBytes(path, start, window, room);
    if (bytes.length > 0) yield bytes;
    if (bytes.length < window) return;
    if (reuse) room = bytes;
  }
}

const JOINED = 4096;

/** Bytes of a row that is not yet whole; of one that is too long only the length is kept. */
export class Gatherer {
  /** Those that came first, {@link JOINED} at a time: a paragraph may have millions of lines, each of a letter. */
  private joined: Uint8Array[] = [];
  private parts: Uint8Array[] = [];
  private total = 0;

  constructor(readonly longest: number = LONGEST_LINE) {}

  get length(): number {
    return this.total;
  }

  add(part: Uint8Array): void {
    this.total += part.length;
    if (this.total > this.longest) [this.joined, this.parts] = [[], []];
    else if (part.length > 0 && this.parts.push(part) === JOINED) {
      this.joined.push(Buffer.concat(this.parts));
      this.parts = [];
    }
  }

  /** The same of a part whose memory may change before the row is whole. */
  keep(part: Uint8Array): void {
    this.add(new Uint8Array(part));
  }

  take(): Pick<Line, 'bytes' | 'length' | 'tooLong'> {
    const tooLong = this.total > this.longest;
    const parts = this.joined.length === 0 ? this.parts : [...this.joined, ...this.parts];
    const [first = NOTHING] = parts;
    const bytes = parts.length > 1 ? Buffer.concat(parts) : first;
    const taken = { bytes, length: this.total, tooLong };
    this.joined = [];
    this.parts = [];
    this.total = 0;
    return taken;
  }
}

/** Whether a byte belongs to the byte-order mark at the start of a file. */
export const isMark = (byte: number, at: number): boolean =>
  at < BYTE_ORDER_MARK.length && byte === BYTE_ORDER_MARK[at];

/** Length of a byte-order mark at the start of a file. */
export const markLength = (bytes: Uint8Array): number =>
  BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? BYTE_ORDER_MARK.length : 0;

const isBlank = (bytes: Uint8Array): boolean =>
  bytes.every((byte) => byte === 32 || byte === 9 || byte === RETURN);

/** Lines without their ends (LF or CRLF) and without a byte-order mark; blank ones are left out. */
export class LineSplitter implements Splitter {
  private readonly open: Gatherer;
  private offset = 0;
  private number = 1;

  constructor(longest: number = LONGEST_LINE) {
    this.open = new Gatherer(longest);
  }

  *push(bytes: Uint8Array): Iterable<Line> {
    let from = 0;
    for (;;) {
      if (this.open.length === 0) from = this.pastEmpty(bytes, from);
      const end = bytes.indexOf(NEWLINE, from);
      if (end < 0) break;
      this.open.add(bytes.subarray(from, end));
      yield* this.close();
      from = end + 1;
    }
    this.open.keep(bytes.subarray(from));
  }

  end(): readonly Line[] {
    return this.open.length === 0 ? [] : this.close();
  }

  /** Empty lines, of which there may be millions, are nothing to gather. */
  private pastEmpty(bytes: Uint8Array, from: number): number {
    let at = from;
    while (bytes[at] === NEWLINE) at++;
    this.number += at - from;
    this.offset += at - from;
    return at;
  }

  private close(): readonly Line[] {
    const { bytes, length, tooLong } = this.open.take();
    const [number, offset] = [this.number, this.offset];
    this.number++;
    this.offset += length + 1;
    if (tooLong) return [{ number, offset, bytes, tooLong, length }];
    const mark = offset === 0 ? markLength(bytes) : 0;
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
    const content = bytes.subarray(mark, Math.max(mark, end));
    return isBlank(content)
      ? []
      : [{ number, offset: offset + mark, bytes: content, tooLong, length: content.length }];
  }
}

/** Lines of a file, read through a window: each is good until the next is asked for. Throws a `HostError`. */
export function* fileLines(
  host: Host,
  path: string,
  { window = WINDOW, longest = LONGEST_LINE }: { readonly window?: number; readonly longest?: number } = {},
): Iterable<Line> {
  const splitter = new LineSplitter(longest);
  for (const bytes of windowsOf(host, path, { window, reuse: true })) yield* splitter.push(bytes);
  yield* splitter.end();
}

/** Some rows of a file: that with index `skip`, counted from 0, and each `every`-th one after it. */
export interface Sample {
  readonly skip: number;
  readonly every: number;
}

export const EVERY_ROW: Sample = { skip: 0, every: 1 };

export const isSampled = ({ skip, every }: Sample, index: number): boolean =>
  index >= skip && (index - skip) % every === 0;

const decoder = new TextDecoder();

/** Lines of a file that the program itself wrote, however long, read through a window. */
export function* textLines(host: Host, path: string): Iterable<string> {
  for (const { bytes } of ownLines(host, path)) yield decoder.decode(bytes);
}

/** The same as bytes. */
export const ownLines = (host: Host, path: string): Iterable<Line> =>
  fileLines(host, path, { longest: Number.POSITIVE_INFINITY });
