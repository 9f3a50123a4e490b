/** Licence texts as paragraphs, headings and sentences. */

const NUMBER = String.raw`(?:(?:section|article|§)\s*)?\(?(\d{1,2}(?:\.\d{1,2})*)[.):]*`;
const TITLE = `["“]?([A-Z][A-Za-z ,;'’&/-]{3,50}?)["”]?`;
const ALONE = new RegExp(`^#*\\s*(?:${NUMBER}\\s*[-–—]?\\s*)?\\**${TITLE}\\**[.:]?$`, 'i');
const INLINE = new RegExp(`^${NUMBER}\\s+${TITLE}[.:]\\s+(?=["“A-Z(])`);
const RULE = /^\s*[-=_*~+]{3,}\s*$/;

/** Paragraphs with their heading: `{ text, heading, number, opens }`; `opens`: begins with it. */
export function paragraphs(text) {
  const out = [];
  let heading = null;
  let number = null;
  for (const block of text.split(/\n\s*\n/)) {
    const lines = block.split('\n').filter((line) => !RULE.test(line));
    const first = clean(lines[0] ?? '');
    const alone = headingAlone(first, lines.length);
    if (alone !== null) {
      [heading, number] = [alone.heading, alone.number];
      lines.shift();
    }
    const body = clean(lines.join(' '));
    if (body === '') continue;
    const inline = INLINE.exec(body);
    if (inline !== null && inline[2].split(' ').length <= 7) {
      [number, heading] = [inline[1], inline[2].trim()];
      out.push({ text: body.slice(inline[0].length), whole: body, heading, number, opens: true });
    } else out.push({ text: body, whole: body, heading, number, opens: false });
  }
  return out;
}

function headingAlone(line, lines) {
  const match = ALONE.exec(line);
  if (match === null) return null;
  const words = match[2].split(' ').length;
  const marked = match[1] !== undefined || /^#/.test(line) || lines === 1 || line === line.toUpperCase();
  if (!marked || words > 7 || /[,;]$/.test(line)) return null;
  return { heading: match[2].trim(), number: match[1] ?? null };
}

const clean = (text) => text.replace(/\s+/g, ' ').trim();

const ENGLISH = new Set(
  'the of to and or in this that any is be for you not by with as are shall may'.split(' '),
);

/** Prose in English: enough of its small words, few odd characters. */
export function isEnglish(text) {
  const words = text.toLowerCase().match(/[\p{L}]+/gu) ?? [];
  if (words.length < 6) return false;
  const small = words.filter((word) => ENGLISH.has(word)).length;
  const odd = text.match(/[^\x20-\x7e“”‘’—–©]/g)?.length ?? 0;
  return small / words.length >= 0.2 && odd === 0 && !/[_=*#<>|{}\\]/.test(text);
}

/** Sentences of a paragraph; a stop after an initial, a number or an abbreviation ends none. */
export function sentences(text) {
  return text
    .split(
      /(?<!\b(?:[A-Za-z]|[Nn]o|[Ii]nc|[Cc]orp|[Ll]td|e\.g|i\.e|etc|vs|[Aa]rt|[Ss]ec|\d{1,2}(?:\.\d{1,2})*|[ivx]+)\.)(?<=[.!?]["”)]?)\s+(?=["“(A-Z])/,
    )
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}

/** The number of the next clause, left at the end of this one. */
const STRAY = /\s\(?(?:[a-z]|\d{1,2}|[ivx]+)[.)]$/;

export const wordCount = (text) => text.split(/\s+/).length;

/** Short English passages of one or two whole sentences: `{ text, sentences, heading, licence }`. */
export function passages(licence, least, most) {
  const out = [];
  for (const paragraph of paragraphs(licence.text)) {
    let pending = [];
    const flush = () => {
      const text = pending.join(' ');
      if (pending.length > 0 && wordCount(text) >= least && isEnglish(text) && !STRAY.test(text))
        out.push({ text, sentences: pending, heading: paragraph.heading, licence });
      pending = [];
    };
    for (const sentence of sentences(paragraph.text)) {
      const length = wordCount(sentence);
      if (!/[.!?;:]["”)]?$/.test(sentence) || length > most) {
        flush();
        continue;
      }
      if (pending.length >= 2 || wordCount([...pending, sentence].join(' ')) > most) flush();
      pending.push(sentence);
    }
    flush();
  }
  return out;
}
