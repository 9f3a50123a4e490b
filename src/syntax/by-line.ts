/**
 * Recovery by line. A setting stands on a line of its own, so a line that cannot be read is set aside with
 * one error, and the file is parsed again without it: nothing that follows is misread because of it.
 * What is wrong with a block's braces or a declaration's head is left to the parser's own recovery.
 */
import {
  type CstNode,
  createTokenInstance,
  EOF,
  type IRecognitionException,
  type IToken,
  tokenMatcher,
} from '../../grammar/chevrotain.js';
import { expectationOf } from '../../grammar/expectations.js';
import type { Layout } from '../../grammar/layout.js';
import { FtpParser } from '../../grammar/parser.js';
import * as t from '../../grammar/tokens.js';
import type { Diagnostic } from '../diagnostics/types.js';
import type { SourceText } from '../source/text.js';
import { endOf } from './cst.js';
import { isTopLevel, syntaxErrors } from './syntax-errors.js';

let parser: FtpParser | undefined;

interface Read {
  readonly cst: CstNode | undefined;
  readonly failures: readonly IRecognitionException[];
}

export function run(laidOut: Layout, tokens: IToken[], rule: (parser: FtpParser) => CstNode): Read {
  if (laidOut.excess !== undefined) return { cst: undefined, failures: [] };
  parser ??= new FtpParser();
  parser.input = tokens;
  try {
    const cst: CstNode | undefined = rule(parser);
    return { cst, failures: parser.errors };
  } catch (error) {
    // The library's recovery goes one call deeper with every mistake.
    if (!(error instanceof RangeError)) throw error;
    return { cst: undefined, failures: parser.errors };
  }
}

/** Lines that are set aside at most; a file with more is no pipeline. */
const MOST_LINES = 40;
/** With more failures than these a file is no pipeline either: it is not read again and again. */
const MOST_FAILURES = 200;

export function readProgram(
  laidOut: Layout,
  source: SourceText,
): { readonly cst: CstNode | undefined; readonly diagnostics: readonly Diagnostic[] } {
  let tokens = laidOut.tokens;
  const diagnostics: Diagnostic[] = [];
  for (let line = 0; ; line++) {
    const { cst, failures } = run(laidOut, tokens, (parser) => parser.program());
    const readable = line < MOST_LINES && failures.length <= MOST_FAILURES;
    const found = readable ? unreadableLine(failures, tokens, laidOut) : undefined;
    if (found === undefined) {
      for (const found of syntaxErrors(failures, tokens, source)) diagnostics.push(found);
      return { cst, diagnostics };
    }
    diagnostics.push(...syntaxErrors([found.failure], tokens, source));
    tokens = [...tokens.slice(0, found.start), ...found.instead, ...tokens.slice(found.end)];
  }
}

const ANCHORS = [t.BlockKind, t.Param, t.Secret, t.Import, t.Edition, t.Preset, t.Native, t.RCurly];

/** Starts a declaration or ends a block; `data = …` is a setting with a name that it cannot have. */
const isHead = (first: IToken, second: IToken | undefined): boolean =>
  (t.startsSoftly(first, second) && first.tokenType !== t.Expect) ||
  (ANCHORS.some((anchor) => tokenMatcher(first, anchor)) &&
    (second === undefined || !tokenMatcher(second, t.Sets)));

function unreadableLine(
  failures: readonly IRecognitionException[],
  tokens: readonly IToken[],
  laidOut: Layout,
) {
  for (const failure of failures) {
    const expectation = expectationOf(failure);
    if (isTopLevel(expectation)) continue;
    const closesBlock =
      expectation.kind === 'token' && expectation.token === 'RCurly' && expectation.rule === 'body';
    const atEnd = failure.token.tokenType === EOF;
    const index = atEnd ? tokens.length : tokens.indexOf(failure.token);
    if (closesBlock && (atEnd || isHead(failure.token, tokens[index + 1]))) continue;
    const last = atEnd || failure.token.tokenType === t.Newline ? index - 1 : index;
    let start = last;
    while (start > 0 && tokens[start - 1]?.tokenType !== t.Newline) start--;
    let end = last + 1;
    while (end < tokens.length && tokens[end]?.tokenType !== t.Newline) end++;
    const line = tokens.slice(start, end);
    const [first, second] = line;
    if (first === undefined || isHead(first, second)) continue;
    if (line.some((token) => laidOut.blockBraces.has(token))) continue;
    return { failure, start, end, instead: keepSetting(first, second) };
  }
  return undefined;
}

/** A setting whose value cannot be read is still set. */
function keepSetting(first: IToken, second: IToken | undefined): IToken[] {
  if (second === undefined || !tokenMatcher(first, t.Name) || !tokenMatcher(second, t.Sets)) return [];
  const at = endOf(second);
  return [first, second, createTokenInstance(t.Unreadable, '', at, at, 0, 0, 0, 0)];
}
