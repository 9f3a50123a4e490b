/** The parser's failures as diagnostics. */
import { EOF, type IRecognitionException, type IToken } from '../../../grammar/chevrotain.js';
import { type Expectation, expectationOf } from '../../../grammar/expectations.js';
import { startsDeclaration } from '../../../grammar/tokens.js';
import * as errors from '../diagnostics/catalogue/syntax.js';
import { replace } from '../diagnostics/make.js';
import type { Diagnostic, Hint } from '../diagnostics/types.js';
import type { Span } from '../source/span.js';
import { positionAt, type SourceText } from '../source/text.js';
import { endOf } from './cst.js';
import { type Correction, likelyMeant } from './habits/index.js';

const BRACKETS: Readonly<Record<string, { open: string; close: string }>> = {
  RCurly: { open: '{', close: '}' },
  RParen: { open: '(', close: ')' },
  RSquare: { open: '[', close: ']' },
};

export const offsetOf = (diagnostic: Diagnostic): number =>
  diagnostic.at !== undefined && 'start' in diagnostic.at ? diagnostic.at.start : 0;

/** `tokens` is what was parsed, `written` all that was there before lines of it were set aside. */
export function syntaxErrors(
  failures: readonly IRecognitionException[],
  tokens: readonly IToken[],
  source: SourceText,
  written = tokens,
): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  let lastTopLevel = -1;
  for (const failure of failures) {
    const expectation = expectationOf(failure);
    const index = indexOf(tokens, failure.token);
    if (isTopLevel(expectation)) {
      // Everything up to the next declaration is the same mistake.
      const between = lastTopLevel < 0 ? undefined : tokens.slice(lastTopLevel, index);
      const again =
        between !== undefined && !between.some((token, i) => startsDeclaration(token, between[i + 1]));
      lastTopLevel = index;
      if (again) continue;
    }
    const [at, around] = failure.token.tokenType === EOF ? [written.length, written] : [index, tokens];
    found.push(diagnose(failure, expectation, at, around, source));
  }
  return found;
}

/** The index of a token among all of the file, which are in the order of the text. */
export function indexOf(tokens: readonly IToken[], token: IToken): number {
  if (token.tokenType === EOF) return tokens.length;
  let [low, high] = [0, tokens.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tokens[middle]?.startOffset ?? 0) < token.startOffset) low = middle + 1;
    else high = middle;
  }
  return tokens.indexOf(token, low);
}

export const isTopLevel = (expectation: Expectation): boolean =>
  expectation.rule === 'program' || expectation.kind === 'end';

function diagnose(
  failure: IRecognitionException,
  expectation: Expectation,
  index: number,
  tokens: readonly IToken[],
  source: SourceText,
): Diagnostic {
  const meant = likelyMeant(expectation.rule, index, tokens, source);
  const found = describe(meant?.at ?? failure.token, source);
  const previous = lastBefore(tokens, index);
  const at = place(meant?.at ?? failure.token, previous, source);
  const expected = (wanted: string): Diagnostic =>
    errors.expected(at, meant?.expected ?? wanted, found, hint(meant));
  if (isTopLevel(expectation)) return errors.unexpectedTopLevel(at, found, hint(meant));
  if (expectation.kind === 'token' && expectation.token === 'RCurly' && expectation.rule === 'body') {
    const atEnd = failure.token.tokenType === EOF || startsDeclaration(failure.token, tokens[index + 1]);
    const opening = blockStart(tokens, index, source.file);
    if (!atEnd) return expected(inBody(opening.text));
    return errors.unclosedBlock(afterLine(previous, opening, source), opening.span, opening.text);
  }
  const bracket = expectation.kind === 'token' ? BRACKETS[expectation.token] : undefined;
  if (expectation.kind === 'token' && bracket !== undefined) {
    const opened = openBracket(tokens, index, bracket, source.file);
    const onNewLine = failure.token.tokenType.name === 'Newline' || failure.token.tokenType === EOF;
    if (opened !== undefined && (onNewLine || startsDeclaration(failure.token, tokens[index + 1])))
      return errors.unclosedBracket(at, opened, bracket.open, bracket.close);
    return otherBracket(expected(`\`,\` or ${expectation.label}`), failure.token, bracket.close);
  }
  if (expectation.kind === 'token')
    return expected(expectation.token === 'Sets' ? signOf(expectation.rule) : expectation.label);
  return expectation.rule === 'body'
    ? expected(inBody(blockStart(tokens, index, source.file).text))
    : expectation.rule === 'text'
      ? expected('a string')
      : errors.missingValue(at, found, hint(meant));
}

const hint = (meant: Correction | undefined): Hint =>
  meant === undefined ? {} : { help: meant.help, fixes: meant.fixes };

/** `[a, b)` */
function otherBracket(diagnostic: Diagnostic, { image, startOffset }: IToken, close: string): Diagnostic {
  const { at } = diagnostic;
  if (!')]}'.includes(image) || at === undefined) return diagnostic;
  const span = { file: at.file, start: startOffset, end: startOffset + 1 };
  const fix = replace(`write \`${close}\``, span, close, 'maybe_incorrect');
  return { ...diagnostic, help: `write \`${close}\``, fixes: [fix] };
}

const inBody = (opening: string): string =>
  opening.startsWith('`test ') ? 'a setting, `expect` or `}`' : 'a setting, `require` or `}`';

const signOf = (rule: string): string => (rule === 'entry' || rule === 'argument' ? '`:`' : '`=`');

function describe(token: IToken, source: SourceText): string {
  if (token.tokenType === EOF) return 'the end of the file';
  if (token.tokenType.name === 'Newline') return 'the end of the line';
  const isKeyword = /^[a-z]+$/.test(token.image) && token.tokenType.name !== 'Identifier';
  const text = source.text.slice(token.startOffset, endOf(token));
  const shown = text.length > 40 ? `${text.slice(0, 37)}…` : text;
  return isKeyword ? `the keyword \`${shown}\`` : `\`${shown}\``;
}

function lastBefore(tokens: readonly IToken[], index: number): IToken | undefined {
  for (let i = index - 1; i >= 0; i--) if (tokens[i]?.tokenType.name !== 'Newline') return tokens[i];
  return undefined;
}

/** Where something is missing at the end of a line, the end of that line; else the token that is in its place. */
function place(token: IToken, previous: IToken | undefined, source: SourceText): Span {
  const ends = token.tokenType === EOF || token.tokenType.name === 'Newline';
  const { file } = source;
  if (previous === undefined && token.tokenType === EOF) return { file, start: 0, end: 0 };
  if (previous !== undefined && ends) return { file, start: endOf(previous), end: endOf(previous) };
  return { file, start: token.startOffset, end: endOf(token) };
}

/** Where the `}` of a block would be: under its last line, or at the end of the line that opened it. */
function afterLine(previous: IToken | undefined, opening: { readonly span: Span }, source: SourceText): Span {
  const end = previous === undefined ? 0 : endOf(previous);
  const { line } = positionAt(source, end);
  const sameLine = positionAt(source, opening.span.start).line === line;
  const start = sameLine ? end : (source.lineStarts[line] ?? end);
  return { file: source.file, start, end: start };
}

function blockStart(
  tokens: readonly IToken[],
  index: number,
  file: string,
): { readonly span: Span; readonly text: string } {
  for (let i = index - 1; i > 0; i--) {
    const [kind, name] = [tokens[i - 1], tokens[i]];
    const atLineStart = i === 1 || tokens[i - 2]?.tokenType.name === 'Newline';
    if (kind === undefined || name === undefined || !atLineStart) continue;
    if (startsDeclaration(kind, name))
      return {
        span: { file, start: kind.startOffset, end: endOf(name) },
        text: `\`${kind.image} ${name.image}\``,
      };
  }
  return { span: { file, start: 0, end: 0 }, text: 'the block' };
}

/** The innermost bracket that is still open before a token. */
function openBracket(
  tokens: readonly IToken[],
  index: number,
  bracket: { readonly open: string; readonly close: string },
  file: string,
): Span | undefined {
  let depth = 0;
  for (let i = index - 1; i >= 0; i--) {
    const token = tokens[i];
    if (token?.image === bracket.close) depth++;
    else if (token?.image === bracket.open && depth-- === 0)
      return { file, start: token.startOffset, end: endOf(token) };
  }
  return undefined;
}
