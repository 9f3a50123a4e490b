/** Characters that are no part of the language: what was likely meant by them, and those that hide in texts and comments. */
import {
  hiddenCharacter,
  type UnexpectedDetails,
  unexpectedCharacter,
} from '../diagnostics/catalogue/syntax.js';
import { instead } from '../diagnostics/did-you-mean.js';
import { replace } from '../diagnostics/make.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import type { SourceText } from '../source/text.js';

/** Signs that editors and word processors put in the place of those of a keyboard. */
const SIGNS: Readonly<Record<string, string>> = {
  '−': '-',
  '–': '-',
  '—': '-',
  '‐': '-',
  '≤': '<=',
  '≥': '>=',
  '≠': '!=',
  '×': '*',
  '÷': '/',
  '→': '=',
  '…': '..',
};

/** What cannot be seen: control characters, and those that join, separate or turn what is around them. */
const INVISIBLE = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}]+$/u;

const codePoint = (text: string): string =>
  `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** `at`: what the lexer could not read. */
/** Of signs that follow each other. */
const MOST_SHOWN = 40;

export function foreignCharacters(at: Span, { text: source }: SourceText): Diagnostic {
  const text = source.slice(at.start, at.end);
  const shown = `\`${text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text}\``;
  if (/^[\u2028\u2029]+$/.test(text))
    return unexpectedCharacter(at, codePoint(text), {
      label: 'an unusual line terminator',
      help: 'write a line feed',
      fixes: [replace('write a line feed', at, '\n')],
    });
  if (INVISIBLE.test(text))
    return unexpectedCharacter(at, codePoint(text), {
      label: 'an invisible character',
      help: 'remove it',
      fixes: [replace('remove it', at, '')],
    });
  const plain = [...text].map((sign) => SIGNS[sign] ?? sign.normalize('NFKC')).join('');
  if (plain !== text && /^[\x21-\x7e]+$/.test(plain))
    return unexpectedCharacter(at, shown, instead(plain, at));
  if (/^[\p{L}\p{M}\p{N}]+$/u.test(text))
    return unexpectedCharacter(at, `${shown} (${codePoint(text)})`, {
      help: 'names consist of the letters a to z and A to Z, digits and `_`; other characters are only for strings and comments',
    });
  if (text === '%') return unexpectedCharacter(at, shown, percent(at, source));
  return unexpectedCharacter(at, shown, HELP[text] === undefined ? undefined : { help: HELP[text] });
}

/** `5 %`, or the remainder of a division. */
function percent(at: Span, source: string): UnexpectedDetails {
  const spaces = /\d([ \t]+)$/.exec(source.slice(Math.max(0, at.start - 20), at.start))?.[1] ?? '';
  if (spaces === '' || /^[ \t]*[\w(]/.test(source.slice(at.end, at.end + 20)))
    return {
      help: 'a percentage is a number directly followed by `%`: `5%`; there is no remainder operator',
    };
  const gap = { ...at, start: at.start - spaces.length, end: at.start };
  return {
    help: 'write the unit directly after the number: `5%`',
    fixes: [replace('remove the space', gap, '')],
  };
}

const HELP: Readonly<Record<string, string>> = {
  '@': 'refer to a stage by its own name: stages of a matrix read the stage with the same values',
  '^': 'there is no power operator: write the number',
  $: 'strings and paths are written out; use a `param` for what varies',
};

/** Turns the order in which a line is shown, or does something to a terminal. */
const HIDDEN = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** `strings`, `comments`: where they are; the lexer reports what hides elsewhere. */
export function hiddenCharacters(
  source: SourceText,
  strings: () => readonly Span[],
  comments: () => readonly Span[],
): readonly Diagnostic[] {
  const hidden = [...source.text.matchAll(HIDDEN)];
  if (hidden.length === 0) return [];
  const [texts, remarks] = [strings(), comments()];
  const found: Diagnostic[] = [];
  for (const { index } of hidden) {
    const within = ({ start, end }: Span): boolean => index >= start && index < end;
    const inString = texts.some(within);
    if (!inString && !remarks.some(within)) continue;
    const code = codePoint(source.text.slice(index));
    found.push(
      hiddenCharacter(
        { file: source.file, start: index, end: index + 1 },
        code,
        inString ? `\\u{${code.slice(2).replace(/^0+(?=.)/, '')}}` : '',
      ),
    );
  }
  return found;
}
