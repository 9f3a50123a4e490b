/**
 * Jinja's `trim` is Python's `strip`; the JavaScript engine's is `String.prototype.trim`. They part ways over six
 * characters: Python strips U+001C to U+001F and U+0085, JavaScript strips U+FEFF. Text that holds one of them is
 * rewritten before it is rendered, so that JavaScript strips what Python would, and written back afterwards.
 */
const STRIPPED = ['\u001c', '\u001d', '\u001e', '\u001f', '\u0085'];
const MARK = '\ufeff';
const DIFFERENT = new RegExp(`[${STRIPPED.join('')}${MARK}]`);
const FIRST_SPACE = 0x2000;

export interface TextCodec {
  readonly encode: (text: string) => string;
  readonly decode: (text: string) => string;
}

const IDENTITY: TextCodec = { encode: (text) => text, decode: (text) => text };

/** The codec for a rendering of these texts; nothing is done where none holds such a character. */
export function stripCodec(texts: readonly string[]): TextCodec {
  if (!texts.some((text) => DIFFERENT.test(text))) return IDENTITY;
  const byteOrderMark = unused(texts);
  return {
    // A byte-order mark becomes a character that nobody strips; the five others become the mark and a kind of space,
    // both of which JavaScript strips.
    encode: (text) =>
      text.replace(new RegExp(DIFFERENT, 'g'), (character) => {
        const index = STRIPPED.indexOf(character);
        return index < 0 ? byteOrderMark : MARK + String.fromCharCode(FIRST_SPACE + index);
      }),
    decode: (text) =>
      text
        .replace(
          /\ufeff([\u2000-\u2004])/g,
          (_, space: string) => STRIPPED[space.charCodeAt(0) - FIRST_SPACE] ?? '',
        )
        .replaceAll(byteOrderMark, MARK),
  };
}

/** A noncharacter (they are never exchanged) that no text holds. */
function unused(texts: readonly string[]): string {
  for (let code = 0xfdd0; code < 0xfdf0; code++) {
    const character = String.fromCharCode(code);
    if (!texts.some((text) => text.includes(character))) return character;
  }
  throw new RangeError('the texts use every noncharacter');
}

export interface Ends {
  readonly start: boolean;
  readonly end: boolean;
}

/** A text without any of these characters at its ends, as Python's `str.strip(chars)`. */
export function stripped(text: string, characters: string, ends: Ends): string {
  const dropped = new Set(characters);
  const points = [...text];
  const kept = (point: string): boolean => !dropped.has(point);
  const first = ends.start ? points.findIndex(kept) : 0;
  const last = ends.end ? points.findLastIndex(kept) : points.length - 1;
  return first < 0 ? '' : points.slice(first, last + 1).join('');
}
