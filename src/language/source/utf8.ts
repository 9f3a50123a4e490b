/** Bytes that should be text. */

const REPLACEMENT = '\ufffd';

/** As a file is read whose bytes may be anything: what is not UTF-8 becomes U+FFFD, and a byte order mark stays. */
export const lossyText = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/** Where the lossy text has its first replacement character that the bytes do not hold themselves; `undefined` for UTF-8. */
export function notUtf8At(bytes: Uint8Array, lossy = lossyText(bytes)): number | undefined {
  const encoder = new TextEncoder();
  let offset = 0;
  let from = 0;
  for (let at = lossy.indexOf(REPLACEMENT); at >= 0; at = lossy.indexOf(REPLACEMENT, from)) {
    offset += encoder.encode(lossy.slice(from, at)).length;
    const own = [0xef, 0xbf, 0xbd].every((byte, index) => bytes[offset + index] === byte);
    if (!own) return at;
    offset += 3;
    from = at + 1;
  }
  return undefined;
}
