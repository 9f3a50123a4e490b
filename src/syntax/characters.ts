/** Characters that are no part of the language: what was likely meant by them, and those that hide in texts and comments. */
import {
  hiddenCharacter,
  type UnexpectedDetails,
  unexpectedCharacter,
} from '../diagnostics/catalogue/syntax.js';
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

/** What cannot be seen: control characters, and those that join, separate or turn what stands around them. */
const INVISIBLE = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Zs}]+$/u;

const codePoint = (text: string): string =>
  `U+${(text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** `at`: what the lexer could not read. */
export function foreignCharacters(at: Span, { text: source }: SourceText): Diagnostic {
  const text = source.slice(at.start, at.end);
  return unexpectedCharacter(at, ...meantBy(text, at, source));
}

function meantBy(
  text: string,
  at: Span,
  source: string,
): readonly [shown: string, details?: UnexpectedDetails] {
  const shown = `\`${text}\``;
  if (/^[\u2028\u2029]+$/.test(text))
    return [
      codePoint(text),
      {
        label: 'a line end of another kind',
        help: 'write a line end',
        fixes: [replace('write a line end', at, '\n')],
      },
    ];
  if (INVISIBLE.test(text))
    return [
      codePoint(text),
      {
        label: 'a character that cannot be seen',
        help: 'take it out',
        fixes: [replace('remove it', at, '')],
      },
    ];
  const plain = [...text].map((sign) => SIGNS[sign] ?? sign.normalize('NFKC')).join('');
  if (plain !== text && /^[\x21-\x7e]+$/.test(plain))
    return [
      shown,
      { help: `write \`${plain}\``, fixes: [replace(`write \`${plain}\``, at, plain, 'maybe_incorrect')] },
    ];
  if (/^[\p{L}\p{M}\p{N}]+$/u.test(text))
    return [
      `${shown} (${codePoint(text)})`,
      {
        help: 'names are written with the letters a to z and A to Z, digits and `_`; others stand in strings and comments',
      },
    ];
  return [
    shown,
    text === '%' ? percent(at, source) : HELP[text] === undefined ? undefined : { help: HELP[text] },
  ];
}

/** `5 %`, or the remainder of a division. */
function percent(at: Span, source: string): UnexpectedDetails {
  const spaces = /\d([ \t]+)$/.exec(source.slice(Math.max(0, at.start - 20), at.start))?.[1] ?? '';
  if (spaces === '' || /^[ \t]*[\w(]/.test(source.slice(at.end, at.end + 20)))
    return { help: 'a share is a number with `%` right behind it: `5%`; remainders are not computed' };
  const gap = { ...at, start: at.start - spaces.length, end: at.start };
  return {
    help: 'no space stands before a unit: write `5%`',
    fixes: [replace('take the space out', gap, '')],
  };
}

const HELP: Readonly<Record<string, string>> = {
  '@': 'a stage is referred to by its own name: what follows from a matrix reads the stage of the same values',
  '^': 'there are no powers: write the number',
  $: 'texts and paths are written out; what varies is a `param`',
};

/** Turns the order in which a line is shown, or does something to a terminal. */
const HIDDEN = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** `strings`, `comments`: where they stand; what hides elsewhere, the lexer reports. */
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
