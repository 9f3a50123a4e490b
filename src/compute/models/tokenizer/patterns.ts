/**
 * Regular expressions of a `tokenizer.json`. The Rust library's engine tries every way in which a text may match, and ends
 * the process after ten million of them, so that one is used only if it cannot come to that.
 */

const MOST_CHARACTERS = 10_000;
/** Repetitions without a limit next to each other: each is tried with every length of the one before. */
const MOST_IN_A_ROW = 3;
/** From this many times on a repetition counts as one without a limit. */
const MANY = 32;

/** What repeats the part before it: `*`, `+?`, `{2,}`; a second `+` keeps what it has, and tries nothing again. */
const QUANTIFIER = /(?:[*+?]|\{(\d*)(,?)(\d*)\})([+?]?)/y;
const GROUP = /\((?:\?(?:[imsxa-z-]+:|[:=!>|~]|<[=!]|<\w+>|#[^)]*))?/y;

interface Part {
  /** Repetitions without a limit, in the alternative that has most. */
  readonly repeats: number;
  readonly alternatives: number;
  readonly atomic: boolean;
}

interface Level {
  repeats: number;
  most: number;
  alternatives: number;
  readonly atomic: boolean;
}

/** How many repetitions follow each other, at most; a text says what is wrong with the pattern. */
export function repetitionsOf(pattern: string): number | string {
  if (pattern.length > MOST_CHARACTERS) return `it has more than ${MOST_CHARACTERS} characters`;
  const levels: Level[] = [newLevel(false)];
  for (let at = 0; at < pattern.length; ) {
    const level = levels.at(-1);
    if (level === undefined) return 'it closes a group that it does not open';
    const character = pattern.charAt(at);
    if (character === '|') {
      level.most = Math.max(level.most, level.repeats);
      level.repeats = 0;
      level.alternatives++;
      at++;
      continue;
    }
    if (character === '(') {
      const head = matchAt(GROUP, pattern, at);
      at += head.length;
      levels.push(newLevel(head.endsWith('>')));
      continue;
    }
    const part = character === ')' ? closed(levels.pop()) : ONE;
    at =
      character === '['
        ? endOfClass(pattern, at)
        : at + (character === '\\' ? lengthOfEscape(pattern, at) : 1);
    const outer = levels.at(-1);
    if (outer === undefined) return 'it closes a group that it does not open';
    const { length, unlimited, possessive } = quantifierAt(pattern, at);
    at += length;
    const isOpen = unlimited && !possessive;
    if (isOpen && !part.atomic && part.repeats > 0) return 'it repeats what repeats itself';
    if (isOpen && part.alternatives > 1) return 'it repeats a choice';
    outer.repeats += isOpen ? 1 : part.atomic || possessive ? 0 : part.repeats;
    if (outer.repeats > MOST_IN_A_ROW) return `it has more than ${MOST_IN_A_ROW} repetitions in a row`;
  }
  const [whole, open] = levels;
  return whole === undefined || open !== undefined ? 'it does not close a group' : closed(whole).repeats;
}

const ONE: Part = { repeats: 0, alternatives: 1, atomic: false };

const newLevel = (atomic: boolean): Level => ({ repeats: 0, most: 0, alternatives: 1, atomic });

const closed = (level: Level | undefined): Part =>
  level === undefined ? ONE : { ...level, repeats: Math.max(level.most, level.repeats) };

function matchAt(form: RegExp, text: string, at: number): string {
  form.lastIndex = at;
  return form.exec(text)?.[0] ?? text.charAt(at);
}

/** `[^\s[a&&b]]`: classes of this engine may hold others. */
function endOfClass(pattern: string, start: number): number {
  let depth = 0;
  for (let at = start; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '\\') at++;
    else if (character === '[') depth++;
    // the first character of a class may be a bracket itself
    else if (character === ']' && !/\[\^?$/.test(pattern.slice(Math.max(0, at - 2), at)) && --depth === 0)
      return at + 1;
  }
  return pattern.length;
}

/** `\s`, `\p{Lu}`, `\x{1F600}`. */
const ESCAPE = /\\(?:[pPxo]\{[^}]*\}|.)/sy;
const lengthOfEscape = (pattern: string, at: number): number => matchAt(ESCAPE, pattern, at).length;

interface Quantifier {
  readonly length: number;
  readonly unlimited: boolean;
  readonly possessive: boolean;
}

function quantifierAt(pattern: string, at: number): Quantifier {
  QUANTIFIER.lastIndex = at;
  const found = QUANTIFIER.exec(pattern);
  if (found === null) return { length: 0, unlimited: false, possessive: false };
  const [text, least = '', comma = '', most = '', mode] = found;
  const isNumber = text.startsWith('{');
  const unlimited = isNumber
    ? (comma !== '' && most === '') || Number(most || least) >= MANY
    : !text.startsWith('?');
  return { length: text.length, unlimited, possessive: mode === '+' && !isNumber };
}
