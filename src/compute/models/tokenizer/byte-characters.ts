/**
 * GPT-2's characters of bytes, by the byte (`bytes_to_unicode` of its `encoder.py`): printable ones stand for themselves, the
 * others follow after 255 in their order.
 */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPlain = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(isPlain ? byte : next++);
  });
})();
