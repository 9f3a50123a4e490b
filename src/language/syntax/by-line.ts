/**
 * Recovery by line. A setting is on a line of its own, so a line that cannot be read is set aside with
 * one error, and the file is parsed again without it: nothing that follows is misread because of it.
 * What is wrong with a block's braces or a declaration's head is left to the parser's own recovery.
 */
import {
  createTokenInstance,
  EOF,
  type IRecognitionException,
  type IToken,
  tokenMatcher,
} from '../../../grammar/chevrotain.js';
import { expectationOf } from '../../../grammar/expectations.js';
import type { Layout } from '../../../grammar/layout.js';
import type { SyntaxNode } from '../../../grammar/node.js';
import { FtpParser, type ParserOutput } from '../../../grammar/parser.js';
import * as t from '../../../grammar/tokens.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { SourceText } from '../source/text.js';
import { endOf } from './cst.js';
import { groupBelow } from './groups.js';
import { indexOf, isTopLevel, syntaxErrors } from './syntax-errors.js';

let parser: FtpParser | undefined;

export function read(rule: 'program' | 'expression', tokens: IToken[]): ParserOutput {
  parser ??= new FtpParser();
  return parser.read(rule, tokens);
}

/** Lines that are set aside at most; a text with more is not a declaration. */
const MOST_LINES = 40;

/** Tokens that are read again at most, in all declarations of a text: each line that is set aside costs one reading of its own. */
export const MOST_AGAIN = 250_000;

/** What is left of {@link MOST_AGAIN}. */
interface RereadBudget {
  tokens: number;
}

/** One declaration, or what is in the place of one. */
export function readDeclaration(
  written: IToken[],
  blockBraces: Layout['blockBraces'],
  source: SourceText,
  budget: RereadBudget,
): { readonly node: SyntaxNode | undefined; readonly diagnostics: readonly Diagnostic[] } {
  let tokens = written;
  const diagnostics: Diagnostic[] = [];
  for (let line = 0; ; line++) {
    const { node, failures } = read('program', tokens);
    if (failures.length === 0) return { node, diagnostics };
    const isReadable = line < MOST_LINES && node !== undefined && tokens.length <= budget.tokens;
    const found = isReadable ? unreadableLine(failures, tokens, blockBraces, source) : undefined;
    if (found === undefined) {
      for (const found of syntaxErrors(failures, tokens, source, written)) diagnostics.push(found);
      return { node, diagnostics };
    }
    budget.tokens -= tokens.length;
    diagnostics.push(...syntaxErrors([found.failure], tokens, source));
    tokens = [...tokens.slice(0, found.start), ...found.instead, ...tokens.slice(found.end)];
  }
}

/** Begins a declaration or ends a block. */
const isHead = (first: IToken, second: IToken | undefined): boolean =>
  t.startsDeclaration(first, second) ||
  (first.tokenType === t.RCurly && (second === undefined || !tokenMatcher(second, t.Sets)));

function unreadableLine(
  failures: readonly IRecognitionException[],
  tokens: readonly IToken[],
  blockBraces: Layout['blockBraces'],
  source: SourceText,
) {
  for (const failure of failures) {
    const expectation = expectationOf(failure);
    if (isTopLevel(expectation)) continue;
    const closesBlock =
      expectation.kind === 'token' && expectation.token === 'RCurly' && expectation.rule === 'body';
    const atEnd = failure.token.tokenType === EOF;
    const index = indexOf(tokens, failure.token);
    const name = expectation.rule === 'block' ? asName(failure.token) : undefined;
    if (name !== undefined) return { failure, start: index, end: index + 1, instead: [name] };
    const isArguments = expectation.rule === 'body' && failure.token.tokenType === t.LParen;
    const after = isArguments ? closingOf(tokens, index, t.LParen, t.RParen) : tokens.length;
    // `train adapter using lora(rank: 16) {`: the block can be read without them
    if (after < tokens.length) return { failure, start: index, end: after, instead: [] };
    if (closesBlock && (atEnd || isHead(failure.token, tokens[index + 1]))) continue;
    const last = atEnd || failure.token.tokenType === t.Newline ? index - 1 : index;
    let start = last;
    while (start > 0 && tokens[start - 1]?.tokenType !== t.Newline) start--;
    let end = last + 1;
    while (end < tokens.length && tokens[end]?.tokenType !== t.Newline) end++;
    const line = tokens.slice(start, end);
    const [first, second] = line;
    if (first === undefined || isHead(first, second)) continue;
    const brace = line.findIndex((token) => blockBraces.has(token));
    if (brace >= 0) end = Math.max(end, closingOf(tokens, start + brace));
    if (end > tokens.length) continue;
    const group = end === index ? groupBelow(tokens, start, end, source) : undefined;
    return {
      failure,
      start,
      end: group?.end ?? end,
      instead: keepSetting(first, second, group !== undefined),
    };
  }
  return undefined;
}

/** `budget "machine" {`, `budget 4gpu {`: what stands for a name, so that the block can be read. */
function asName(token: IToken): IToken | undefined {
  if (!t.STRINGS.includes(token.tokenType) && token.tokenType !== t.BadQuantity) return undefined;
  return createTokenInstance(t.Identifier, token.image, token.startOffset, endOf(token), 0, 0, 0, 0);
}

/** After the bracket that closes the one at `index`; after the end if there is none. */
function closingOf(tokens: readonly IToken[], index: number, open = t.LCurly, close = t.RCurly): number {
  let depth = 0;
  for (let at = index; at < tokens.length; at++) {
    if (tokens[at]?.tokenType === open) depth++;
    if (tokens[at]?.tokenType === close && --depth === 0) return at + 1;
  }
  return tokens.length + 1;
}

/** A setting whose value cannot be read is still set. */
function keepSetting(first: IToken, second: IToken | undefined, isGroup: boolean): IToken[] {
  if (second === undefined || !tokenMatcher(first, t.Name) || !tokenMatcher(second, t.Sets)) return [];
  const at = endOf(second);
  // The colon of `lora:` is part of the same mistake.
  const sign = isGroup ? createTokenInstance(t.Equals, '=', at, at, 0, 0, 0, 0) : second;
  return [first, sign, createTokenInstance(t.Unreadable, '', at, at, 0, 0, 0, 0)];
}
