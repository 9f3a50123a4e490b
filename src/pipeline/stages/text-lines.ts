import type { Host } from '../../language/host/host.js';

const WINDOW = 1 << 20;
const NEWLINE = 10;

/** Lines of a UTF-8 file that the program itself wrote, read through a window: memory does not grow with the file. */
export function* textLines(host: Host, path: string): Iterable<string> {
  const decoder = new TextDecoder();
  let rest = new Uint8Array(0);
  for (let start = 0; ; start += WINDOW) {
    const window = host.readBytes(path, start, WINDOW);
    if (window.length === 0) break;
    let from = 0;
    for (let end = window.indexOf(NEWLINE); end >= 0; end = window.indexOf(NEWLINE, from)) {
      const line = window.subarray(from, end);
      yield decoder.decode(rest.length === 0 ? line : joined(rest, line));
      rest = new Uint8Array(0);
      from = end + 1;
    }
    if (from < window.length) rest = joined(rest, window.subarray(from));
  }
  if (rest.length > 0) yield decoder.decode(rest);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
