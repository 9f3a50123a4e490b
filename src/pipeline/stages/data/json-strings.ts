/** Strings in a text of JSON. A regular expression runs out of memory over a long one. */
const BACKSLASH = 0x5c;

/** Place of the quote that ends the string which begins here: the first one with an even number of backslashes before it. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text.charCodeAt(first - 1) === BACKSLASH && first > start) first--;
    if ((end - first) % 2 === 0) return end;
  }
  return text.length;
}

/** The text with what is outside of its strings written otherwise. */
export function outsideStrings(text: string, change: (part: string) => string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const quote = text.indexOf('"', at);
    parts.push(change(quote < 0 ? text.slice(at) : text.slice(at, quote)));
    if (quote < 0) break;
    at = endOfString(text, quote + 1) + 1;
    parts.push(text.slice(quote, at));
  }
  return parts.join('');
}
