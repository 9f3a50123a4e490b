/** FTP03xx: types, units and values. */
import type { Span } from '../../source/span.js';
import { nearest, suggestion } from '../did-you-mean.js';
import { error, insert, named, replace, warning, withArticle } from '../make.js';
import type { Diagnostic, Fix } from '../types.js';

export const typeMismatch = (
  at: Span,
  wanted: string,
  found: string,
  mend: { readonly help?: string; readonly fixes?: readonly Fix[] } = {},
): Diagnostic =>
  error('FTP0301', at, `expected ${wanted}, found ${found}`, { label: `expected ${wanted}`, ...mend });

export const unitNeeded = (
  at: Span,
  written: string,
  suffixes: readonly string[],
  likely: string,
): Diagnostic =>
  error('FTP0302', at, `\`${written}\` needs a unit`, {
    label: 'a bare number',
    help: `write ${named(suffixes.map((suffix) => `${written}${suffix}`))}`,
    fixes: [replace(`write \`${likely}\``, at, likely, 'maybe_incorrect')],
  });

export const shareNeeded = (at: Span, written: string, percent: string): Diagnostic =>
  error('FTP0302', at, `\`${written}\` needs a unit: shares are written in percent`, {
    label: 'a bare number',
    help: `write \`${percent}\``,
    fixes: [replace(`write \`${percent}\``, at, percent, 'maybe_incorrect')],
  });

export const unknownUnit = (
  at: Span,
  written: string,
  meant: readonly { readonly text: string; readonly says: string }[],
  known: readonly string[],
): Diagnostic =>
  error('FTP0303', at, `\`${written}\` has no such unit`, {
    label: meant.length > 0 ? 'units are case-sensitive and have one spelling' : 'unknown unit',
    help:
      meant.length > 0
        ? `write ${meant.map(({ text, says }) => `\`${text}\` (${says})`).join(' or ')}`
        : `units are ${named(known, 'and')}`,
    fixes: meant.map(({ text }) => replace(`write \`${text}\``, at, text, 'maybe_incorrect')),
  });

/** `1h30m` */
export const unitsRunTogether = (at: Span, written: string, sum: string): Diagnostic =>
  error('FTP0303', at, `\`${written}\` is several quantities in one word`, {
    label: 'a quantity has one number and one unit',
    help: `write \`${sum}\``,
    fixes: [replace(`write \`${sum}\``, at, sum, 'maybe_incorrect')],
  });

export const wrongUnit = (at: Span, found: string, wanted: string, suffixes: readonly string[]): Diagnostic =>
  error('FTP0304', at, `expected ${wanted}, found ${found}`, {
    label: `not ${wanted}`,
    help: `its units are ${named(suffixes, 'and')}`,
  });

/** `from`: where the value stands that a name brings here. */
export const outOfRange = (at: Span, written: string, range: string, from?: Span): Diagnostic =>
  error('FTP0305', at, `${written} is out of range`, {
    label: `must be ${range}`,
    related: from === undefined ? undefined : [{ at: from, message: 'comes from here' }],
  });

export const notInteger = (at: Span, written: string): Diagnostic =>
  error('FTP0306', at, `expected a whole number, found ${written}`, { label: 'not a whole number' });

export const unknownChoice = (at: Span, word: string, choices: readonly string[]): Diagnostic =>
  error('FTP0307', at, `\`${word}\` is none of the choices`, {
    label: `expected ${named(choices)}`,
    // The label has said what is known.
    ...(nearest(word, choices) === undefined ? {} : suggestion(word, at, choices)),
  });

export const quotedChoice = (at: Span, word: string): Diagnostic =>
  error('FTP0308', at, `\`${word}\` is a word of the language and stands without quotes`, {
    label: 'a string',
    fixes: [replace('remove the quotes', at, word)],
  });

export const badOperands = (
  at: Span,
  operator: string,
  left: string,
  right: string,
  help?: string,
): Diagnostic =>
  error('FTP0309', at, `\`${operator}\` cannot join ${left} and ${right}`, {
    label: 'these do not go together',
    help,
  });

export const badOperand = (at: Span, operator: string, operand: string): Diagnostic =>
  error('FTP0309', at, `\`${operator}\` cannot stand before ${operand}`, { label: 'does not go together' });

export const divisionByZero = (at: Span): Diagnostic =>
  error('FTP0310', at, 'division by zero', { label: 'this is 0' });

export const missingSetting = (at: Span, where: string, key: string, doc: string): Diagnostic =>
  error('FTP0311', at, `${where} needs the setting \`${key}\``, {
    label: `\`${key}\` is missing`,
    help: `\`${key}\`: ${doc}`,
  });

export const missingArgument = (at: Span, callee: string, name: string, doc: string): Diagnostic =>
  error('FTP0312', at, `\`${callee}\` needs the argument \`${name}\``, {
    label: `\`${name}\` is missing`,
    help: `\`${name}\`: ${doc}`,
  });

/** `free`: arguments that the call does not have yet. */
export const tooManyArguments = (
  at: Span,
  callee: string,
  named: readonly string[],
  free: readonly string[] = [],
): Diagnostic =>
  error('FTP0313', at, `\`${callee}\` does not take this argument without a name`, {
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

export const fileMissing = (at: Span, path: string, why: string): Diagnostic =>
  error('FTP0315', at, `the file \`${path}\` cannot be read`, {
    label: why,
    help: 'the path starts from the folder of the pipeline file',
  });

export const noFilesMatch = (at: Span, pattern: string): Diagnostic =>
  error('FTP0316', at, `no file matches \`${pattern}\``, {
    label: 'matches nothing',
    help: 'the pattern starts from the folder of the pipeline file',
  });

export const modelFolderMissing = (at: Span, folder: string, why: string): Diagnostic =>
  error('FTP0317', at, `the model folder \`${folder}\` cannot be used`, {
    label: why,
    help: 'give a folder in Hugging Face layout (`config.json`, `tokenizer.json`, `*.safetensors`), relative to the pipeline file',
  });

export const notConstant = (at: Span, what: string): Diagnostic =>
  error('FTP0318', at, `${what} is not known before the run`, {
    label: 'not a constant',
    help: 'settings are computed before the run, from literals and parameters; metrics stand in `require`',
  });

export const sharesDoNotAddUp = (at: Span, total: string): Diagnostic =>
  error('FTP0319', at, `the shares add up to ${total}`, {
    label: 'must be 100%',
    help: 'every row goes to one split: let the shares add up to 100%',
  });

export const chainedComparison = (at: Span): Diagnostic =>
  error('FTP0320', at, 'comparisons do not chain', {
    label: 'a second comparison',
    help: 'join two comparisons with `and`: `0 < x and x < 1`',
  });

export const emptyList = (at: Span, what: string): Diagnostic =>
  error('FTP0321', at, `${what} needs at least one item`, { label: 'an empty list' });

export const emptyText = (at: Span): Diagnostic =>
  error('FTP0874', at, 'the text is empty', {
    label: 'names nothing, and is found everywhere',
    help: 'write the text that is meant, or leave the setting out where it may be left out',
  });

/** `dataset = none` */
export const valueNeeded = (at: Span, wanted: string): Diagnostic =>
  error('FTP0301', at, `expected ${wanted}, found \`none\``, {
    label: `expected ${wanted}`,
    help: '`none` leaves out what may be left out; here a value is needed',
  });

/** `[[perplexity], exact_match]` */
export const listInList = (at: Span, wanted: string): Diagnostic =>
  error('FTP0301', at, `expected ${wanted}, found a list in the list`, {
    label: 'a list in a list',
    help: 'take the inner brackets away',
  });

/** `order = none` */
export const noneIsDefault = (at: Span, key: string, value: string | undefined): Diagnostic =>
  warning(
    'FTP0329',
    at,
    `\`none\` leaves \`${key}\` at its default${value === undefined ? '' : `, \`${value}\``}`,
    {
      label: 'as if it were not written',
      help: 'take it out, or write the value that is meant',
    },
  );

export const digitSeparators = (at: Span, written: string, plain: string): Diagnostic =>
  error('FTP0322', at, `\`${written}\` is no number: digits stand without separators`, {
    label: 'written as in another language',
    help: `write \`${plain}\``,
    fixes: [replace(`write \`${plain}\``, at, plain)],
  });

export const nameAsText = (at: Span, file: string): Diagnostic =>
  warning('FTP0349', at, `the name of the file \`${file}\` is taken for the text itself`, {
    label: 'a text, and a file has this name',
    help: 'write `file("…")` where the content of the file is meant',
    fixes: [replace('write `file(…)`', at, `file(${JSON.stringify(file)})`, 'maybe_incorrect')],
  });

/** `0x10`, `10k` */
export const notDecimal = (at: Span, written: string, plain: string): Diagnostic =>
  error('FTP0327', at, `\`${written}\` is no number`, {
    label: 'numbers are written out in decimal digits',
    help: `write \`${plain}\``,
    fixes: [replace(`write \`${plain}\``, at, plain, 'maybe_incorrect')],
  });

/** `directory("${folder}")` */
export const notFilledIn = (at: Span, written: string, name: string): Diagnostic =>
  warning('FTP0328', at, `\`${written}\` stands in the text as it is written: nothing is put in its place`, {
    label: 'a text without blanks to fill',
    help: `where the whole text is a parameter, its name stands without quotes: \`${name}\``,
  });

/** `near(threshold: …, "x")` */
export const positionalAfterNamed = (at: Span, callee: string, name: string): Diagnostic =>
  error(
    'FTP0324',
    at,
    `in a call of \`${callee}\`, an argument without a name stands behind one with a name`,
    {
      label: `taken for \`${name}\``,
      help: `give it its name, \`${name}: …\`, or put it first`,
      fixes: [insert(`write \`${name}: …\``, at.file, at.start, `${name}: `)],
    },
  );

export const repeatedItem = (at: Span, first: Span): Diagnostic =>
  warning('FTP0325', at, 'this stands in the list twice', {
    label: 'again',
    related: [{ at: first, message: 'here first' }],
    help: 'take one of them out',
  });

/** Its content is not repeated: messages end up in logs. */
export const looksSecret = (at: Span): Diagnostic =>
  error('FTP0326', at, 'this text looks like an access token', {
    label: 'would be printed, stored and reviewed',
    help: 'take it back where it was issued, since it stands in a file; then declare `secret token = env("NAME")`, and name it where a setting takes a secret',
  });
