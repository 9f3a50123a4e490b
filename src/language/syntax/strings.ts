import { badEscape } from '../diagnostics/catalogue/syntax.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';

const SIMPLE: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', n: '\n', t: '\t' };

/** The value of a string from what is between its quotes; `start` is the offset of its first character. */
export function readEscapes(
  content: string,
  file: string,
  start: number,
  report: (diagnostic: Diagnostic) => void,
): string {
  return content.replace(/\\(u\{([0-9a-fA-F]{1,6})\}|.)/g, (written, body: string, hex, offset: number) => {
    const point = hex === undefined ? undefined : Number.parseInt(hex, 16);
    if (point !== undefined && point <= 0x10ffff) return String.fromCodePoint(point);
    const simple = SIMPLE[body];
    if (simple !== undefined) return simple;
    const at: Span = { file, start: start + offset, end: start + offset + written.length };
    report(badEscape(at, written));
    return written;
  });
}
