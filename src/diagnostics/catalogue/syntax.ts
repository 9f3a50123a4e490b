/** FTP01xx: how a file is written. */
import type { Span } from '../../source/span.js';
import { error, insert, replace, warning } from '../make.js';
import type { Diagnostic } from '../types.js';

export type UnexpectedDetails = Partial<Pick<Diagnostic, 'label' | 'help' | 'fixes'>>;

/** `shown`: the characters in backticks, or the names of those that cannot be seen. */
export const unexpectedCharacter = (at: Span, shown: string, details: UnexpectedDetails = {}): Diagnostic =>
  error('FTP0101', at, `${shown} means nothing here`, {
    label: 'not part of the language',
    help: 'take it out; text stands between double quotes, comments after `//`',
    ...(details.help === undefined ? { fixes: [replace('remove it', at, '', 'maybe_incorrect')] } : {}),
    ...details,
  });

/** `instead`: its escape in a string; in a comment, nothing. */
export const hiddenCharacter = (at: Span, code: string, instead: string): Diagnostic =>
  error(
    'FTP0323',
    at,
    `a character that cannot be seen stands in this ${instead === '' ? 'comment' : 'string'}`,
    {
      label: code,
      notes: ['it may show the line in another order than it is read, or change what a terminal shows'],
      help: instead === '' ? 'take it out' : `write it as \`${instead}\`, or take it out`,
      fixes: [replace(instead === '' ? 'remove it' : `write \`${instead}\``, at, instead)],
    },
  );

export const unterminatedString = (at: Span): Diagnostic =>
  error('FTP0102', at, 'the string is not closed', {
    label: 'opened here, and the line ends',
    help: 'close it with `"`; a string does not reach over the end of its line',
    fixes: [{ ...insert('close the string', at.file, at.end, '"'), applicability: 'maybe_incorrect' }],
  });

export const foreignComment = (at: Span, text: string): Diagnostic =>
  error('FTP0103', at, 'a comment starts with `//`', {
    label: 'comment of another language',
    help: 'write `//`, or `///` where it documents the next declaration',
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

export const foreignString = (at: Span, content: string): Diagnostic =>
  error('FTP0104', at, 'a string stands between straight double quotes', {
    label: 'other quotes',
    help: 'write `"` on both sides',
    fixes: [replace('write `"`', at, `"${content.replace(/["\\]/g, '\\$&')}"`)],
  });

export const badEscape = (at: Span, written: string): Diagnostic =>
  error('FTP0105', at, `\`${written}\` is no escape`, {
    label: 'unknown escape',
    help: 'known are `\\"`, `\\\\`, `\\n`, `\\t` and `\\u{…}`; a backslash itself is written `\\\\`',
    fixes: [replace('write the backslash itself', at, `\\${written}`, 'maybe_incorrect')],
  });

export const foreignSign = (at: Span, sign: string, meant: string): Diagnostic =>
  error('FTP0106', at, `\`${sign}\` is written \`${meant}\``, {
    label: 'sign of another language',
    help: sign === ';' ? 'the end of the line ends a setting; on one line, a comma does' : undefined,
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

export type Hint = Pick<Diagnostic, 'help' | 'fixes'>;

export const expected = (at: Span, wanted: string, found: string, hint: Hint = {}): Diagnostic =>
  error('FTP0107', at, `expected ${wanted}, found ${found}`, { label: `expected ${wanted}`, ...hint });

export const unclosedBlock = (at: Span, opened: Span, what: string): Diagnostic =>
  error('FTP0108', at, `${what} is not closed`, {
    label: 'expected `}` by here',
    related: [{ at: opened, message: 'opened here' }],
    help: 'put a `}` after its last line',
    fixes: [insert('close it', at.file, at.start, '}\n')],
  });

/** The same where the block that follows stands within it, and both are closed in the end. */
export const blockInside = ({ help: _help, fixes: _fixes, ...unclosed }: Diagnostic): Diagnostic => ({
  ...unclosed,
  help: 'a block holds no other block: close it with a `}` here, and take one out further down',
});

export const danglingComma = (at: Span): Diagnostic =>
  warning('FTP0119', at, 'nothing stands behind this comma', {
    label: 'the last one',
    help: 'take it out, or write what is missing; where each item has a line of its own, the last may have a comma',
    fixes: [replace('take it out', at, '', 'maybe_incorrect')],
  });

export const doubledSign = (at: Span, sign: 'not' | '-'): Diagnostic =>
  warning('FTP0120', at, `\`${sign}\` stands here twice`, {
    label: `undoes the \`${sign}\` before it`,
    help: 'take one out, or write what is missing between the two; if both are meant, put brackets around the second',
    fixes: [replace('take it out', at, '', 'maybe_incorrect')],
  });

/** `016`, `05tok`: eight in some languages, ten in others. */
export const leadingZero = (at: Span, written: string): Diagnostic => {
  const plain = written.replace(/^0+(?=\d)/, '');
  return error('FTP0126', at, `\`${written}\` begins with a zero`, {
    label: 'numbers are decimal, and begin with a zero only before a point',
    help: `write \`${plain}\``,
    fixes: [replace(`write \`${plain}\``, at, plain, 'maybe_incorrect')],
  });
};

export const emptyImport = (at: Span): Diagnostic =>
  error('FTP0121', at, 'this import names nothing', {
    label: 'nothing between the braces',
    help: 'write the names that are used from it, or take the import out',
    fixes: [replace('take the import out', at, '', 'maybe_incorrect')],
  });

/** `import { chat as talk }`; `whole` is `as talk`. */
export const renamedImport = (at: Span, whole: Span): Diagnostic =>
  expected(at, '`,` or `}`', '`as`', {
    help: 'what is imported keeps its name: take `as` and the other name out',
    fixes: [replace('take it out', { ...whole, start: whole.start - 1 }, '', 'maybe_incorrect')],
  });

export const missingValue = (at: Span, found: string, hint: Hint = {}): Diagnostic =>
  error('FTP0109', at, `expected a value, found ${found}`, {
    label: 'a value is missing',
    help: 'a value is a number, a quantity, a string, a name, a call, a `[list]` or a `{ record }`',
    ...hint,
  });

export const unclosedBracket = (at: Span, opened: Span, bracket: string, closing: string): Diagnostic =>
  error('FTP0110', at, `\`${bracket}\` is not closed`, {
    label: `expected \`${closing}\``,
    related: [{ at: opened, message: 'opened here' }],
    fixes: [
      { ...insert(`write \`${closing}\``, at.file, at.start, closing), applicability: 'maybe_incorrect' },
    ],
  });

export const unexpectedTopLevel = (at: Span, found: string, hint: Hint = {}): Diagnostic =>
  error('FTP0111', at, `expected a declaration, found ${found}`, {
    label: 'outside of any block',
    help: 'outside of blocks stand `edition`, `import`, `param`, `matrix`, `secret` and blocks such as `data name { … }`',
    ...hint,
  });

export const wrongSetSign = (at: Span, sign: '=' | ':'): Diagnostic =>
  error(
    'FTP0112',
    at,
    sign === '=' ? 'in a block, a setting is written with `=`' : 'in brackets, a name is followed by `:`',
    { label: `write \`${sign}\``, fixes: [replace(`write \`${sign}\``, at, sign === '=' ? ' =' : ':')] },
  );

export const missingSeparator = (at: Span, where: string): Diagnostic =>
  error('FTP0113', at, `expected a comma between ${where}`, {
    label: 'a comma is missing',
    fixes: [insert('write `,`', at.file, at.start, ',')],
  });

export const missingEdition = (file: string): Diagnostic =>
  warning('FTP0114', { file, start: 0, end: 0 }, 'the file does not say which edition it is written in', {
    label: 'taken as `edition 2026`',
    help: 'write `edition 2026` before the first declaration, so that later defaults cannot change what it means',
    fixes: [insert('write `edition 2026`', file, 0, 'edition 2026\n\n')],
  });

export const unknownEdition = (at: Span, year: number): Diagnostic =>
  error('FTP0115', at, `there is no edition ${year}`, {
    label: 'unknown edition',
    help: 'this compiler knows `edition 2026`; a later edition needs a later ftpc',
    fixes: [replace('write `edition 2026`', at, 'edition 2026', 'maybe_incorrect')],
  });

export const misplacedEdition = (at: Span): Diagnostic =>
  error('FTP0116', at, '`edition` stands once, before everything else', {
    label: 'not here',
    help: 'move it to the first line',
    fixes: [replace('remove it', at, '', 'maybe_incorrect')],
  });

export const expressionTooLarge = (at: Span): Diagnostic =>
  error('FTP0117', at, 'the expression is too large to be read', {
    label: 'nested too deep, or too many operators',
    help: 'brackets nest 64 deep at most, and one setting has 256 operators at most; split it up with `param`',
  });

export const misplacedNative = (at: Span): Diagnostic =>
  error('FTP0118', at, '`native` stands only in the standard library', {
    label: 'not here',
    help: 'import the function: `import { jsonl } from "std/data"`',
  });

/** The name that a file of tests has. */
export const isTestFile = (file: string): boolean => file.endsWith('.test.ftp');

export const misplacedTest = (at: Span): Diagnostic =>
  error('FTP0122', at, '`test` stands only in a file of tests', {
    label: 'not here',
    help: 'move it into a file whose name ends with `.test.ftp`',
  });

export const notInTests = (at: Span, what: string): Diagnostic =>
  error('FTP0123', at, `${what} does not stand in a file of tests`, {
    label: 'not here',
    help: 'in a file whose name ends with `.test.ftp` stand `edition`, `import`, `param` and `test`; move the rest into a pipeline',
  });

export const misplacedExpect = (at: Span): Diagnostic =>
  error('FTP0124', at, '`expect` stands only in a `test`', {
    label: 'not here',
    help: 'in a block, write `require`',
    fixes: [replace('write `require`', at, 'require', 'maybe_incorrect')],
  });

export const requireInTest = (at: Span): Diagnostic =>
  error('FTP0125', at, 'a `test` has no `require`', {
    label: 'not here',
    help: 'write `expect`',
    fixes: [replace('write `expect`', at, 'expect')],
  });
