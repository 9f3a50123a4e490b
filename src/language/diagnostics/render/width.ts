/** How many columns of a terminal a text takes: two for wide East Asian characters and emoji, none for combining marks. */

const PLAIN = /^[\x20-\x7e]*$/;
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}])/u;
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** UTF-16 units that are segmented at a time: what each character costs grows with the text that it is in. */
const WINDOW = 256;

let segmenter: Intl.Segmenter | undefined;

/** User-perceived characters: letters with their accents, emoji with their joiners. One by one: a text may have millions. */
export function* graphemes(text: string): Generator<string> {
  if (PLAIN.test(text)) {
    yield* text;
    return;
  }
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (let at = 0; at < text.length; ) {
    // half a code point would end what is before it
    const end = at + WINDOW + (/[\ud800-\udbff]/.test(text[at + WINDOW - 1] ?? '') ? 1 : 0);
    const found = [...segmenter.segment(text.slice(at, end))].map(({ segment }) => segment);
    // the last one may go on after the window
    if (end < text.length && found.length > 1) found.pop();
    yield* found;
    for (const { length } of found) at += length;
  }
}

/** Columns of one grapheme. */
export const widthOf = (sign: string): number => (NOTHING.test(sign) ? 0 : WIDE.test(sign) ? 2 : 1);

export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const sign of graphemes(text)) width += widthOf(sign);
  return width;
}
