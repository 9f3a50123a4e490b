import type { Host } from '../../source/host.js';

/** A line of a data file. */
export interface Line {
  /** From 1; blank lines count. */
  readonly number: number;
  /** Place in the file: where the row is read again. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Longer than {@link LONGEST_LINE}: `bytes` holds nothing, `length` is its true length. */
  readonly tooLong: boolean;
  readonly length: number;
}

/** A longer line is no row: a file without line ends must not end in memory as a whole. */
export const LONGEST_LINE = 64 << 20;

const WINDOW = 4 << 20;
const NEWLINE = 10;
const RETURN = 13;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * Lines of a file, read through a window, without their ends (LF or CRLF) and without a byte-order mark; blank ones
 * are left out. The bytes are only good until the next line is asked for. Throws a `HostError`.
 */
export function* fileLines(
  host: Host,
  path: string,
  { window = WINDOW, longest = LONGEST_LINE }: { readonly window?: number; readonly longest?: number } = {},
): Iterable<Line> {
  let held: Uint8Array = new Uint8Array(0);
  /** Bytes of the open line that were thrown away because it is too long. */
  let lost = 0;
  let offset = 0;
  let number = 1;

  const close = (bytes: Uint8Array): Line | undefined => {
    const mark = offset === 0 && BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? 3 : 0;
    const end = bytes.at(-1) === RETURN ? bytes.length - 1 : bytes.length;
    const content = bytes.subarray(mark, Math.max(mark, end));
    const line = { number, offset: offset + mark, bytes: content, length: lost + content.length };
    if (lost > 0) return { ...line, offset, bytes: new Uint8Array(0), tooLong: true };
    return content.every((byte) => byte === 32 || byte === 9 || byte === RETURN)
      ? undefined
      : { ...line, tooLong: false };
  };

  for (let start = 0; ; start += window) {
    const bytes = host.readBytes(path, start, window);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      const part = bytes.subarray(from, end);
      const whole = held.length === 0 ? part : joined(held, part);
      const line = close(whole);
      if (line !== undefined) yield line;
      offset += lost + whole.length + 1;
      number++;
      held = new Uint8Array(0);
      lost = 0;
      from = end + 1;
    }
    const rest = bytes.subarray(from);
    held = held.length === 0 ? rest.slice() : joined(held, rest);
    if (lost > 0 || held.length > longest) {
      lost += held.length;
      held = new Uint8Array(0);
    }
    if (bytes.length < window) break;
  }
  if (held.length > 0 || lost > 0) {
    const line = close(held);
    if (line !== undefined) yield line;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
