/** How many columns of a terminal a text takes: two for wide East Asian characters and emoji, none for combining marks. */

const PLAIN = /^[\x20-\x7e]*$/;
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}])/u;
const NOTHING = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

let segmenter: Intl.Segmenter | undefined;

/** User-perceived characters: letters with their accents, emoji with their joiners. */
export function graphemes(text: string): readonly string[] {
  if (PLAIN.test(text)) return [...text];
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/** Columns of one grapheme. */
export const widthOf = (sign: string): number => (NOTHING.test(sign) ? 0 : WIDE.test(sign) ? 2 : 1);

export const displayWidth = (text: string): number =>
  PLAIN.test(text) ? text.length : graphemes(text).reduce((sum, sign) => sum + widthOf(sign), 0);
