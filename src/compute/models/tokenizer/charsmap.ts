/**
 * The `precompiled_charsmap` of SentencePiece: how many bytes its trie has (u32, little-endian), the trie (a double array of
 * u32, as in Darts), and the texts that it leads to, each ended by a zero byte. The Rust library believes every place in
 * it, and ends the process where one is outside.
 */

const MOST_BYTES = 20_000_000;
/** Bytes that one character becomes; the longest of NFKC has 33. */
const MOST_REPLACED = 128;
const DECODE = new TextDecoder('utf-8', { fatal: true });
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What is wrong with it, `undefined` if no text can lead outside. */
export function charsmapFault(encoded: unknown): string | undefined {
  if (typeof encoded !== 'string' || encoded.length > 2 * MOST_BYTES || !BASE64.test(encoded))
    return 'it is not a text in base64';
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length < 4) return 'it ends before its first number';
  const size = bytes.readUInt32LE(0);
  if (size === 0 || size % 4 !== 0 || size > bytes.length - 4)
    return `its trie has ${size} bytes, of ${bytes.length - 4} that follow`;
  const texts = bytes.subarray(4 + size);
  try {
    DECODE.decode(texts);
  } catch {
    return 'its texts are not UTF-8';
  }
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  return trieFault(units, texts);
}

const labelOf = (unit: number): number => unit & 0x8000_00ff;
const offsetOf = (unit: number): number => (unit >>> 10) * 2 ** ((unit & 0x200) >>> 6);
const hasLeaf = (unit: number): boolean => (unit & 0x100) !== 0;
/** Numbers beyond 2^31 are far outside in any case. */
const moved = (place: number, offset: number): number =>
  offset > 0x7fff_ffff ? Number.POSITIVE_INFINITY : (place ^ offset) >>> 0;

/** Goes wherever a text may lead: from each place to those of the 255 bytes that may follow. */
function trieFault(units: Uint32Array, texts: Uint8Array): string | undefined {
  const seen = new Set<number>();
  const left = [moved(0, offsetOf(units[0] ?? 0))];
  for (let base = left.pop(); base !== undefined; base = left.pop()) {
    if (seen.has(base)) continue;
    seen.add(base);
    for (let byte = 1; byte < 256; byte++) {
      const place = base ^ byte;
      const unit = base < units.length ? units[place >>> 0] : undefined;
      if (unit === undefined) return 'its trie leads outside';
      if (labelOf(unit) !== byte) continue;
      const next = moved(place, offsetOf(unit));
      if (hasLeaf(unit)) {
        const fault = textFault(units[next], texts);
        if (fault !== undefined) return fault;
      }
      left.push(next);
    }
  }
  return undefined;
}

function textFault(leaf: number | undefined, texts: Uint8Array): string | undefined {
  if (leaf === undefined) return 'its trie leads outside';
  const start = leaf & 0x7fff_ffff;
  const isInside = start < texts.length && ((texts[start] ?? 0) & 0xc0) !== 0x80;
  if (!isInside) return 'its trie leads to no text';
  const end = texts.indexOf(0, start);
  return (end < 0 ? texts.length : end) - start > MOST_REPLACED
    ? `it makes more than ${MOST_REPLACED} bytes of one character`
    : undefined;
}
