/** FTP01xx: how a file is written. FTP110x: files that are not formatted. */
import type { Span } from '../../source/span.js';
import { instead } from '../did-you-mean.js';
import { counted, error, insert, replace, rewrite, warning, wholeFile } from '../make.js';
import type { Diagnostic, Hint } from '../types.js';

export type UnexpectedDetails = Partial<Pick<Diagnostic, 'label'>> & Hint;

/** `shown`: the characters in backticks, or the names of invisible ones. */
export const unexpectedCharacter = (at: Span, shown: string, details: UnexpectedDetails = {}) =>
  error('FTP0101', at, `${shown} is not allowed here`, {
    label: 'not part of the language',
    help: 'remove it; strings are written in double quotes, comments after `//`',
    ...(details.help === undefined ? { fixes: [replace('remove it', at, '', 'maybe_incorrect')] } : {}),
    ...details,
  });

/** `instead`: its escape sequence in a string; in a comment, `''`. */
export const hiddenCharacter = (at: Span, code: string, instead: string) =>
  error('FTP0323', at, `there is an invisible character in this ${instead === '' ? 'comment' : 'string'}`, {
    label: code,
    notes: [
      'it may make the line appear in a different order than it is read, or change what a terminal shows',
    ],
    help: instead === '' ? 'remove it' : `write it as \`${instead}\`, or remove it`,
    fixes: [replace(instead === '' ? 'remove it' : `write \`${instead}\``, at, instead)],
  });

export const unterminatedString = (at: Span) =>
  error('FTP0102', at, 'the string is not closed', {
    label: 'opened here, but not closed on this line',
    help: 'close it with `"`; a string cannot span several lines',
    fixes: [{ ...insert('close the string', at.file, at.end, '"'), applicability: 'maybe_incorrect' }],
  });

export const foreignComment = (at: Span, text: string) =>
  error('FTP0103', at, 'a comment starts with `//`', {
    label: 'comment syntax of another language',
    help: 'write `//`, or `///` to document the next declaration',
    fixes: [
      replace(
        'write `//`',
        at,
        text.startsWith('#')
          ? text.replace(/^#+/, '//')
          : text
              .replace(/^\/\*+\s*|\s*\*+\/$/g, '')
              .split(/\r?\n/)
              .map((line) => `// ${line.replace(/^\s*\*?\s?/, '')}`)
              .join('\n'),
      ),
    ],
  });

export const foreignString = (at: Span, content: string) =>
  error('FTP0104', at, 'a string is written in straight double quotes', {
    label: 'other quotes',
    help: 'write `"` on both ends',
    fixes: [replace('write `"`', at, `"${content.replace(/["\\]/g, '\\$&')}"`)],
  });

export const badEscape = (at: Span, written: string) =>
  error('FTP0105', at, `\`${written}\` is not an escape sequence`, {
    label: 'unknown escape sequence',
    help: 'the escapes are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}`; a backslash is written `\\\\`',
    fixes: [replace('write the backslash itself', at, `\\${written}`, 'maybe_incorrect')],
  });

export const foreignSign = (at: Span, sign: string, meant: string) =>
  error('FTP0106', at, `\`${sign}\` is written \`${meant}\``, {
    label: 'operator of another language',
    help: sign === ';' ? 'a setting ends at the end of the line; on one line, write a comma' : undefined,
    // A line that ends with `;` needs no comma; the other signs have one meaning.
    fixes: [
      replace(
        `write \`${meant}\``,
        at,
        sign === '!' ? 'not ' : meant,
        sign === ';' ? 'maybe_incorrect' : 'safe',
      ),
    ],
  });

export const expected = (at: Span, wanted: string, found: string, hint: Hint = {}) =>
  error('FTP0107', at, `expected ${wanted}, found ${found}`, { label: `expected ${wanted}`, ...hint });

export const unclosedBlock = (at: Span, opened: Span, what: string) =>
  error('FTP0108', at, `${what} is not closed`, {
    label: 'expected `}` by here',
    related: [{ at: opened, message: 'opened here' }],
    help: 'add a `}` after its last line',
    fixes: [insert('close it', at.file, at.start, '}\n')],
  });

/** The same for a block that contains another one, if both are closed at the end. */
export const blockInside = ({ help: _help, fixes: _fixes, ...unclosed }: Diagnostic) => ({
  ...unclosed,
  help: 'blocks cannot be nested: close this one with a `}` here, and remove one further down',
});

export const danglingComma = (at: Span) =>
  warning('FTP0119', at, 'nothing follows this comma', {
    label: 'trailing comma',
    help: 'remove it, or write what is missing; a trailing comma is allowed where every item has its own line',
    fixes: [replace('remove it', at, '', 'maybe_incorrect')],
  });

export const doubledSign = (at: Span, sign: 'not' | '-') =>
  warning('FTP0120', at, `\`${sign}\` appears twice here`, {
    label: `undoes the \`${sign}\` before it`,
    help: 'remove one, or write what is missing between the two; if both are intended, put parentheses around the second',
    fixes: [replace('remove it', at, '', 'maybe_incorrect')],
  });

/** `016`, `05tok`: octal in some languages, decimal in others. */
export const leadingZero = (at: Span, written: string) => {
  const plain = written.replace(/^0+(?=\d)/, '');
  return error('FTP0126', at, `\`${written}\` has a leading zero`, {
    label: 'numbers are decimal; a leading zero is allowed only before a decimal point',
    ...instead(plain, at),
  });
};

export const emptyImport = (at: Span) =>
  error('FTP0121', at, 'this import is empty', {
    label: 'nothing between the braces',
    help: 'write the names to import, or remove the import',
    fixes: [replace('remove the import', at, '', 'maybe_incorrect')],
  });

/** `import { chat as talk }`; `whole` is `as talk`. */
export const renamedImport = (at: Span, whole: Span) =>
  expected(at, '`,` or `}`', '`as`', {
    help: 'imports cannot be renamed: remove `as` and the new name',
    fixes: [replace('remove it', { ...whole, start: whole.start - 1 }, '', 'maybe_incorrect')],
  });

export const missingValue = (at: Span, found: string, hint: Hint = {}) =>
  error('FTP0109', at, `expected a value, found ${found}`, {
    label: 'a value is missing',
    help: 'a value is a number, a quantity, a string, a name, a call, a `[list]` or a `{ record }`',
    ...hint,
  });

export const unclosedBracket = (at: Span, opened: Span, bracket: string, closing: string) =>
  error('FTP0110', at, `\`${bracket}\` is not closed`, {
    label: `expected \`${closing}\``,
    related: [{ at: opened, message: 'opened here' }],
    fixes: [
      { ...insert(`write \`${closing}\``, at.file, at.start, closing), applicability: 'maybe_incorrect' },
    ],
  });

export const unexpectedTopLevel = (at: Span, found: string, hint: Hint = {}) =>
  error('FTP0111', at, `expected a declaration, found ${found}`, {
    label: 'outside any block',
    help: 'at the top level, write `edition`, `import`, `param`, `matrix`, `secret` or a block such as `data name { … }`',
    ...hint,
  });

/** Two of them as one, shown where the first is: brackets in brackets are one habit. */
export const withMoreSigns = (found: Diagnostic, more: Diagnostic): Diagnostic => {
  const [first, second] = [found.fixes?.[0], more.fixes?.[0]];
  if (first === undefined || second === undefined) return found;
  const edits = [...first.edits, ...second.edits];
  const sign = edits[0]?.text.trim() ?? '';
  return { ...found, label: signsLabel(sign, edits.length), fixes: [{ ...first, edits }] };
};

const signsLabel = (sign: string, count: number): string =>
  `write \`${sign}\`${count < 2 ? '' : `, here and in ${counted(count - 1, 'other place')}`}`;

/** `signs`: all of one block or bracket, each with the blanks around it; the first one is shown. */
export const wrongSetSign = (at: Span, sign: '=' | ':', signs: readonly Span[] = [at]) =>
  error('FTP0112', at, {
    message:
      sign === '='
        ? 'in a block, a setting is written with `=`'
        : 'inside parentheses or braces, a name is followed by `:`',
    label: signsLabel(sign, signs.length),
    fixes: [
      {
        title: `write \`${sign}\``,
        applicability: 'safe',
        edits: signs.map((span) => ({ span, text: sign === '=' ? ' = ' : ': ' })),
      },
    ],
  });

/** `f"{name}.jsonl"`: `at` is the prefix. */
export const prefixedString = (at: Span, prefix: string) =>
  error('FTP0107', at, `expected a string without a prefix, found \`${prefix}\``, {
    label: 'a prefix of another language',
    help: 'remove it; to use a parameter, write its name without quotes instead of the string',
    fixes: [replace('remove it', at, '', 'maybe_incorrect')],
  });

export const missingSeparator = (at: Span, where: string) =>
  error('FTP0113', at, `expected a comma between ${where}`, {
    label: 'a comma is missing',
    fixes: [insert('write `,`', at.file, at.start, ',')],
  });

export const missingEdition = (file: string) =>
  warning('FTP0114', { file, start: 0, end: 0 }, 'the file does not say which edition it is written in', {
    label: 'taken as `edition 2026`',
    help: 'write `edition 2026` before the first declaration, so that later defaults cannot change its meaning',
    fixes: [insert('write `edition 2026`', file, 0, 'edition 2026\n\n')],
  });

export const unknownEdition = (at: Span, year: number) =>
  error('FTP0115', at, `there is no edition ${year}`, {
    label: 'unknown edition',
    help: 'this compiler knows `edition 2026`; a later edition needs a later ftpc',
    fixes: [rewrite(at, 'edition 2026')],
  });

export const misplacedEdition = (at: Span) =>
  error('FTP0116', at, '`edition` may appear only once, before everything else', {
    label: 'not here',
    help: 'move it to the first line',
    fixes: [replace('remove it', at, '', 'maybe_incorrect')],
  });

export const expressionTooLarge = (at: Span) =>
  error('FTP0117', at, 'the expression is too large', {
    label: 'nested too deeply, or too many operators',
    help: 'at most 64 levels of nesting and 256 operators per setting are allowed; split it up with `param`',
  });

export const misplacedNative = (at: Span) =>
  error('FTP0118', at, '`native` can only be used in the standard library', {
    label: 'not here',
    help: 'import the function: `import { jsonl } from "std/data"`',
  });

/** Test files are recognised by their names. */
export const isTestFile = (file: string): boolean => file.endsWith('.test.ftp');

export const misplacedTest = (at: Span) =>
  error('FTP0122', at, '`test` can only be used in a test file', {
    label: 'not here',
    help: 'move it into a file whose name ends with `.test.ftp`',
  });

export const notInTests = (at: Span, what: string) =>
  error('FTP0123', at, `${what} cannot be used in a test file`, {
    label: 'not here',
    help: 'a file whose name ends with `.test.ftp` may contain only `edition`, `import`, `param` and `test`; move the rest into a pipeline',
  });

export const misplacedExpect = (at: Span) =>
  error('FTP0124', at, '`expect` can only be used in a `test`', {
    label: 'not here',
    help: 'in a block, write `require`',
    fixes: [rewrite(at, 'require')],
  });

export const requireInTest = (at: Span) =>
  error('FTP0125', at, '`require` cannot be used in a `test`', {
    label: 'not here',
    help: 'write `expect`',
    fixes: [replace('write `expect`', at, 'expect')],
  });

export const notFormatted = (file: string) =>
  error('FTP1101', wholeFile(file), `\`${file}\` is not formatted, because it cannot be read as a whole`, {
    help: 'fix the errors above (`ftpc check --fix` fixes some of them), then format it again',
  });

export const changesMeaning = (file: string) =>
  error('FTP1102', wholeFile(file), `\`${file}\` was left unchanged: formatting would change its meaning`, {
    help: 'this is a bug in the formatter; please report it, with the file',
  });

export const nothingToFormat = (folder: string) =>
  error('FTP1103', wholeFile(folder), `there is no \`.ftp\` file in \`${folder}\``, {
    help: 'give a file or another folder; `node_modules` and names that start with a dot are skipped',
  });
