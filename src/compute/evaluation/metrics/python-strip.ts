/** The characters that Python's `str.isspace` holds for white space; JavaScript's `trim` takes U+FEFF and leaves U+001C–1F and U+0085. */
const SPACE =
  '[\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const START = new RegExp(`^${SPACE}+`);
const SPACE_ONLY = new RegExp(SPACE);

/** Python's `str.strip()`. */
export function pythonStrip(text: string): string {
  const start = text.replace(START, '');
  let end = start.length;
  // From the end by hand: `\s+$` takes quadratic time on long runs of spaces inside the text.
  while (end > 0 && SPACE_ONLY.test(start.charAt(end - 1))) end--;
  return start.slice(0, end);
}
