/** FTP03xx: types, units and values. */
import type { Span } from '../../source/span.js';
import { instead, nearest, otherPath, suggestion } from '../did-you-mean.js';
import { foreignValue } from '../foreign.js';
import { error, insert, named, replace, rewrite, warning, withArticle } from '../make.js';
import type { Fix } from '../types.js';

export const typeMismatch = (
  at: Span,
  wanted: string,
  found: string,
  hint: { readonly help?: string; readonly fixes?: readonly Fix[] } = {},
) => error('FTP0301', at, `expected ${wanted}, found ${found}`, { label: `expected ${wanted}`, ...hint });

export const unitNeeded = (at: Span, written: string, forms: readonly string[], likely: readonly string[]) =>
  error('FTP0302', at, `\`${written}\` needs a unit`, {
    label: 'a bare number',
    help: `write ${named(forms)}`,
    fixes: likely.map((text) => rewrite(at, text)),
  });

export const shareNeeded = (at: Span, written: string, percent: string) =>
  error('FTP0302', at, `\`${written}\` needs a unit: ratios are written in percent`, {
    label: 'a bare number',
    ...instead(percent, at),
  });

export const unknownUnit = (
  at: Span,
  written: string,
  meant: readonly { readonly text: string; readonly says: string }[],
  known: readonly string[],
) =>
  error('FTP0303', at, `\`${written}\` has an unknown unit`, {
    label: meant.length > 0 ? 'units are case-sensitive and have one spelling' : 'unknown unit',
    help:
      meant.length > 0
        ? `write ${meant.map(({ text, says }) => `\`${text}\` (${says})`).join(' or ')}`
        : `units are ${named(known, 'and')}`,
    fixes: meant.map(({ text }) => rewrite(at, text)),
  });

/** `1h30m` */
export const unitsRunTogether = (at: Span, written: string, sum: string) =>
  error('FTP0303', at, `\`${written}\` combines several quantities`, {
    label: 'a quantity is one number with one unit',
    ...instead(sum, at),
  });

export const wrongUnit = (at: Span, found: string, wanted: string, suffixes: readonly string[]) =>
  error('FTP0304', at, `expected ${wanted}, found ${found}`, {
    label: `not ${wanted}`,
    help: `its units are ${named(suffixes, 'and')}`,
  });

/** `from`: span of the value, if `at` is a name. */
export const outOfRange = (at: Span, written: string, range: string, from?: Span) =>
  error('FTP0305', at, `${written} is out of range`, {
    label: `must be ${range}`,
    related: from === undefined ? undefined : [{ at: from, message: 'comes from here' }],
  });

export const notInteger = (at: Span, written: string) =>
  error('FTP0306', at, `expected a whole number, found ${written}`, { label: 'not a whole number' });

export const unknownChoice = (at: Span, word: string, choices: readonly string[]) => {
  const elsewhere = foreignValue(word);
  return error('FTP0307', at, `\`${word}\` is not one of the choices`, {
    label: `expected ${named(choices)}`,
    ...(elsewhere !== undefined && choices.includes(elsewhere)
      ? instead(elsewhere, at)
      : // The label already lists the choices.
        nearest(word, choices) === undefined
        ? {}
        : suggestion(word, at, choices)),
  });
};

export const quotedChoice = (at: Span, word: string) =>
  error('FTP0308', at, `\`${word}\` is a keyword and is written without quotes`, {
    label: 'a string',
    fixes: [replace('remove the quotes', at, word)],
  });

export const badOperands = (at: Span, operator: string, left: string, right: string, help?: string) =>
  error('FTP0309', at, `\`${operator}\` cannot combine ${left} and ${right}`, {
    label: 'incompatible operands',
    help,
  });

export const badOperand = (at: Span, operator: string, operand: string) =>
  error('FTP0309', at, `\`${operator}\` cannot be applied to ${operand}`, { label: 'incompatible operand' });

export const divisionByZero = (at: Span) => error('FTP0310', at, 'division by zero', { label: 'this is 0' });

export const missingSetting = (at: Span, where: string, key: string, doc: string) =>
  error('FTP0311', at, `${where} needs the setting \`${key}\``, {
    label: `\`${key}\` is missing`,
    help: `\`${key}\`: ${doc}`,
  });

export const missingArgument = (at: Span, callee: string, name: string, doc: string) =>
  error('FTP0312', at, `\`${callee}\` needs the argument \`${name}\``, {
    label: `\`${name}\` is missing`,
    help: `\`${name}\`: ${doc}`,
  });

/** `free`: arguments that the call does not set yet. */
export const tooManyArguments = (
  at: Span,
  callee: string,
  named: readonly string[],
  free: readonly string[] = [],
) =>
  error('FTP0313', at, `\`${callee}\` does not accept this positional argument`, {
    label: 'which argument is this?',
    help:
      named.length === 0
        ? `\`${callee}\` takes no arguments`
        : `name it: ${named.map((name) => `\`${name}: …\``).join(', ')}`,
    fixes: free.slice(0, 4).map((name) => ({
      ...insert(`write \`${name}: …\``, at.file, at.start, `${name}: `),
      applicability: named.length === 1 ? 'safe' : 'maybe_incorrect',
    })),
  });

export const wrongFamily = (
  at: Span,
  callee: string,
  found: string,
  wanted: string,
  known: readonly string[],
) =>
  error('FTP0314', at, `expected ${withArticle(wanted)}, but \`${callee}\` is ${withArticle(found)}`, {
    label: `not ${withArticle(wanted)}`,
    help: `known: ${named(known, 'and')}`,
  });

export const fileMissing = (at: Span, path: string, why: string, meant?: string) =>
  error('FTP0315', at, `the file \`${path}\` cannot be read`, {
    label: why,
    help: 'the path is relative to the pipeline file',
    ...otherPath(at, meant),
  });

/** `meant`: a path that is there; `names`: parameters. */
export const noFilesMatch = (
  at: Span,
  pattern: string,
  why: string,
  meant: string | undefined,
  names: readonly string[],
) => {
  const name = /[{]([A-Za-z_]\w*)[}]/.exec(pattern)?.[1];
  return error('FTP0316', at, `no file matches \`${pattern}\``, {
    label: why,
    help: 'the pattern is relative to the pipeline file',
    ...(name !== undefined && names.includes(name)
      ? {
          help: `strings are not interpolated: declare the whole path as a parameter, and write its name without quotes`,
        }
      : otherPath(at, meant)),
  });
};

export const modelFolderMissing = (at: Span, folder: string, why: string, meant?: string) =>
  error('FTP0317', at, `the model folder \`${folder}\` cannot be used`, {
    label: why,
    help: 'give a folder in Hugging Face layout (`config.json`, `tokenizer.json`, `*.safetensors`), relative to the pipeline file',
    ...otherPath(at, meant),
  });

export const notConstant = (at: Span, what: string) =>
  error('FTP0318', at, `${what} is not known before the run`, {
    label: 'not a constant',
    help: 'settings are computed before the run, from literals and parameters; metrics belong in `require`',
  });

export const sharesDoNotAddUp = (at: Span, total: string) =>
  error('FTP0319', at, `the shares add up to ${total}`, {
    label: 'must be 100%',
    help: 'every row goes to exactly one split, so the shares must add up to 100%',
  });

export const chainedComparison = (at: Span) =>
  error('FTP0320', at, 'comparisons cannot be chained', {
    label: 'a second comparison',
    help: 'join two comparisons with `and`: `0 < x and x < 1`',
  });

export const emptyList = (at: Span, what: string) =>
  error('FTP0321', at, `${what} needs at least one item`, { label: 'an empty list' });

export const emptyText = (at: Span) =>
  error('FTP0874', at, 'the text is empty', {
    label: 'an empty string occurs everywhere',
    help: 'write the intended text, or remove the setting if it is optional',
  });

/** `why`: as JavaScript's parser says it. */
export const badPattern = (at: Span, pattern: string, why: string) =>
  error('FTP2170', at, `\`${pattern}\` is not a regular expression: ${why}`, {
    label: 'cannot be matched with anything',
    help: 'regular expressions are those of JavaScript; in a string, `\\\\` is one backslash, as in `"\\\\d+"`',
  });

/** `dataset = none` */
export const valueNeeded = (at: Span, wanted: string) =>
  error('FTP0301', at, `expected ${wanted}, found \`none\``, {
    label: `expected ${wanted}`,
    help: '`none` is only for optional settings; here a value is needed',
  });

/** `[[perplexity], exact_match]` */
export const listInList = (at: Span, wanted: string) =>
  error('FTP0301', at, `expected ${wanted}, found a nested list`, {
    label: 'a nested list',
    help: 'remove the inner brackets',
  });

/** `order = none` */
export const noneIsDefault = (at: Span, key: string, value: string | undefined) =>
  warning('FTP0329', at, {
    message: `\`none\` leaves \`${key}\` at its default${value === undefined ? '' : `, \`${value}\``}`,
    label: 'as if it were not written',
    help: 'remove it, or write the intended value',
  });

export const digitSeparators = (at: Span, written: string, plain: string) =>
  error('FTP0322', at, `\`${written}\` is not a number: digits are written without separators`, {
    label: 'number syntax of another language',
    help: `write \`${plain}\``,
    fixes: [replace(`write \`${plain}\``, at, plain)],
  });

export const nameAsText = (at: Span, file: string) =>
  warning('FTP0349', at, `\`${file}\` is used as the text itself, not as a file name`, {
    label: 'a string, but a file has this name',
    help: 'write `file("…")` to use the content of the file',
    fixes: [replace('write `file(…)`', at, `file(${JSON.stringify(file)})`, 'maybe_incorrect')],
  });

/** `0x10`, `10k` */
export const notDecimal = (at: Span, written: string, plain: string) =>
  error('FTP0327', at, `\`${written}\` is not a number`, {
    label: 'numbers are written in decimal digits',
    ...instead(plain, at),
  });

/** `directory("${folder}")` */
export const notFilledIn = (at: Span, written: string, name: string) =>
  warning('FTP0328', at, `\`${written}\` is taken literally: strings are not interpolated`, {
    label: 'not a placeholder',
    help: `to use a parameter as the whole string, write its name without quotes: \`${name}\``,
  });

/** `near(threshold: …, "x")` */
export const positionalAfterNamed = (at: Span, callee: string, name: string) =>
  error('FTP0324', at, `in a call of \`${callee}\`, a positional argument follows a named one`, {
    label: `taken as \`${name}\``,
    help: `name it, \`${name}: …\`, or put it first`,
    fixes: [insert(`write \`${name}: …\``, at.file, at.start, `${name}: `)],
  });

export const repeatedItem = (at: Span, first: Span) =>
  warning('FTP0325', at, 'this item appears twice in the list', {
    label: 'again',
    related: [{ at: first, message: 'here first' }],
    help: 'remove one of them',
  });

/** The text itself is not repeated: messages end up in logs. */
export const looksSecret = (at: Span) =>
  error('FTP0326', at, 'this text looks like an access token', {
    label: 'would be printed and stored',
    help: 'revoke it where it was issued, since it is in a file; then declare `secret token = env("NAME")`, and use that name where a setting takes a secret',
  });
