/** Strings in a text of JSON. A regular expression runs out of memory over a long one. */
const BACKSLASH = 0x5c;

/** Place of the quote that ends the string which begins here: the first one with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
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

/** The characters of JSON that matter here. */
const [QUOTE, COMMA, COLON] = [0x22, 0x2c, 0x3a];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/** `JSON.parse` reads what is nested as deep as memory lasts; nothing that walks through it by calling itself does. */
const DEEPEST = 500;

/**
 * What is wrong with an object of a JSON text that `JSON.parse` silently takes: a name that it has twice, of which
 * the last would count, or nesting without end. The text must be valid JSON; only strings and brackets are told apart.
 */
export function quietFault(text: string): string | undefined {
  /** The names of each open object; none for a list. */
  const open: (Set<string> | undefined)[] = [];
  let isName = false;
  for (let at = 0; at < text.length; at++) {
    if (open.length > DEEPEST) return `it is nested more than ${DEEPEST} levels deep`;
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at + 1);
        const names = isName ? open.at(-1) : undefined;
        if (names !== undefined) {
          const name = unescaped(text.slice(at + 1, end));
          if (names.has(name)) return `an object in it names \`${name.slice(0, 80)}\` twice`;
          names.add(name);
        }
        at = end;
        break;
      }
      case OBJECT:
        open.push(new Set());
        isName = true;
        break;
      case LIST:
        open.push(undefined);
        isName = false;
        break;
      case OBJECT_END:
      case LIST_END:
        open.pop();
        break;
      case COMMA:
        isName = open.at(-1) !== undefined;
        break;
      case COLON:
        isName = false;
        break;
    }
  }
  return undefined;
}

const unescaped = (name: string): string =>
  name.includes('\\') ? (JSON.parse(`"${name}"`) as string) : name;
