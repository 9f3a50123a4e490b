/** Texts as Python's `str` takes them: what published metrics are computed with. */

/**
 * The characters that Python's `str.isspace` holds for white space; JavaScript's `trim` takes U+FEFF and leaves
 * U+001C–1F and U+0085.
 */
const SPACE =
  '[\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const START = new RegExp(`^${SPACE}+`);
const SPACES = new RegExp(`${SPACE}+`);
const SPACE_ONLY = new RegExp(SPACE);

/** Python's `str.strip()`. */
export const pythonStrip = (text: string): string => stripEnd(text.replace(START, ''));

/** Python's `str.rstrip()`. */
export function stripEnd(text: string): string {
  let end = text.length;
  // From the end by hand: `\s+$` takes quadratic time on long runs of spaces inside the text.
  while (end > 0 && SPACE_ONLY.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/** Python's `str.split()`. */
export function pythonSplit(text: string): readonly string[] {
  const stripped = pythonStrip(text);
  return stripped === '' ? [] : stripped.split(SPACES);
}
