/**
 * Words of byte-level vocabularies, cut by expressions of JavaScript. The library's binding makes three objects of every
 * word, which takes longer than all else that a tokenizer does.
 */
import { isJson } from '../../../language/host/json.js';
import { COVERING } from '../gguf/vocabularies.js';
import { BYTE_CHARACTERS } from './byte-characters.js';

/** Words as they are in the text; `undefined` where the library may see others. */
export type WordSplitter = (text: string) => readonly string[] | undefined;

/** The pattern of the step "ByteLevel" itself. */
const BYTE_LEVEL = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
/** The same in the pieces that "Digits" leaves: before a digit, a piece ends. */
const SINGLE_DIGITS =
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?![^\\s\\p{N}])|\\s+";

/** A longer text is left to the library: an expression of JavaScript keeps a place for each character of a word. */
const LONGEST = 1 << 20;

/**
 * Cuts as the step `pre_tokenizer` of a `tokenizer.json` does, where it is one of those in wide use. The two engines may know
 * different versions of Unicode, so that each character is tried with both, `split` being the library, before it is trusted.
 */
export function wordSplitter(
  step: unknown,
  split: (text: string) => readonly string[],
): WordSplitter | undefined {
  const pattern = patternOf(step);
  if (pattern === undefined) return undefined;
  const expression = new RegExp(translated(pattern), 'gu');
  const wordsOf = (text: string): readonly string[] => text.match(expression) ?? [];
  const agrees = (points: readonly number[]): boolean => {
    const text = points.map(contextsOf).join('\n');
    const [ours, theirs] = [wordsOf(text), split(text)];
    return ours.length === theirs.length && ours.every((word, at) => spelled(word) === theirs[at]);
  };
  const trust = new CharacterTrust(agrees);
  return (text) => (text.length <= LONGEST && trust.covers(text) ? wordsOf(text) : undefined);
}

/** A word in the characters of the vocabulary. */
export function spelled(word: string): string {
  let text = '';
  for (const byte of ENCODER.encode(word)) text += BYTE_CHARACTERS[byte] as string;
  return text;
}

const ENCODER = new TextEncoder();

function patternOf(step: unknown): string | undefined {
  if (isByteLevel(step, true)) return BYTE_LEVEL;
  if (!isJson(step) || step['type'] !== 'Sequence') return undefined;
  const steps: unknown = step['pretokenizers'];
  const [first, second, ...more]: readonly unknown[] = Array.isArray(steps) ? steps : [];
  if (!isJson(first) || more.length > 0) return undefined;
  if (first['type'] === 'Digits' && first['individual_digits'] === true)
    return isByteLevel(second, true) ? SINGLE_DIGITS : undefined;
  const { type, pattern, behavior, invert } = first;
  const regex = isJson(pattern) ? pattern['Regex'] : undefined;
  const isIsolated = type === 'Split' && behavior === 'Isolated' && invert === false;
  return isIsolated && isByteLevel(second, false) ? COVERING.find((one) => one === regex) : undefined;
}

const isByteLevel = (step: unknown, byPattern: boolean): boolean =>
  isJson(step) &&
  step['type'] === 'ByteLevel' &&
  step['add_prefix_space'] === false &&
  (step['use_regex'] ?? true) === byPattern;

/** White space is Unicode's in the library, and the letters that fold to `s` are three. */
const translated = (pattern: string): string =>
  pattern
    .replace(/\(\?i:([^()]*)\)/g, (_, inner: string) => `(?:${inner.replace(/[a-z]/g, foldedLetter)})`)
    .replaceAll('\\s', '\\p{White_Space}')
    .replaceAll('\\S', '\\P{White_Space}');

const foldedLetter = (letter: string): string =>
  `[${letter}${letter.toUpperCase()}${letter === 's' ? '\u017f' : ''}]`;

/** A character next to those by which the patterns tell apart what it is. */
function contextsOf(point: number): string {
  const it = String.fromCodePoint(point);
  const apart = `a${it}a A${it}A a${it}A A${it}a 1${it}1 .${it}. ${it}`;
  return `${apart}  ${it}a\n${it}\n${it}.\r${it} '${it}x '${it}ex '${it}l 'r${it} 'v${it} 'l${it} x${it}${it}y`;
}

const [UNKNOWN, TRUSTED, DOUBTED] = [0, 1, 2];

/** Which characters are cut alike by both, asked for when they are first met. */
class CharacterTrust {
  private readonly known = new Uint8Array(0x110000);

  constructor(private readonly agrees: (points: readonly number[]) => boolean) {}

  covers(text: string): boolean {
    for (let at = 0; at < text.length; at++) {
      let point = text.charCodeAt(at);
      if (point >= 0xd800 && point < 0xdc00) point = text.codePointAt(at++) ?? point;
      const state = this.known[point];
      if (state !== TRUSTED && (state === DOUBTED || !this.learn(text))) return false;
    }
    return true;
  }

  /** Tries all characters of the text that are not known yet: whether there were any that are trusted now. */
  private learn(text: string): boolean {
    const points = [...new Set(Array.from(text, (character) => character.codePointAt(0) ?? 0))];
    const unknown = points.filter((point) => this.known[point] === UNKNOWN);
    const areTrusted = this.agrees(unknown);
    for (const point of unknown) this.known[point] = areTrusted || this.agrees([point]) ? TRUSTED : DOUBTED;
    return unknown.every((point) => this.known[point] === TRUSTED);
  }
}
