/**
 * Which line ends count. A line end is a token where it can end a setting or a declaration, and nothing
 * inside `( ) [ ] { }` literals. A bracket that was never closed must not swallow the rest of the file, so
 * a line that can only be the start of something new ends every open bracket.
 */
import { type IToken, tokenMatcher } from './chevrotain.js';
import {
  BadQuantity,
  BinaryOperator,
  BlockKind,
  Colon,
  Comma,
  Edition,
  Equals,
  Import,
  LCurly,
  LParen,
  LSquare,
  Name,
  Native,
  Newline,
  Param,
  PrefixOperator,
  Preset,
  Question,
  RCurly,
  Require,
  RParen,
  RSquare,
  Secret,
  Sets,
  STRINGS,
  startsDeclaration,
  startsSoftly,
  Word,
} from './tokens.js';

/** Deeper or longer expressions are refused, so that no file can exhaust the stack. */
const DEEPEST = 64;
const MOST_OPERATORS = 256;

export interface Layout {
  readonly tokens: IToken[];
  /** The first token of an expression that is nested too deep or has too many operators. */
  readonly excess?: IToken;
  /** The braces that open blocks. */
  readonly blockBraces: ReadonlySet<IToken>;
}

const OPENING = [LParen, LSquare, LCurly];
const CLOSING = [RParen, RSquare, RCurly];
const ANCHORS = [BlockKind, Require, Param, Secret, Import, Edition, Preset, Native];

export function layout(raw: readonly IToken[]): Layout {
  const tokens: IToken[] = [];
  const open: IToken[] = [];
  const blockBraces = new Set<IToken>();
  let operators = 0;
  let inBlock = false;
  let excess: IToken | undefined;
  for (let index = 0; index < raw.length; index++) {
    const token = raw[index] as IToken;
    const previous = tokens[tokens.length - 1];
    if (token.tokenType === Newline) {
      const next = raw[index + 1];
      if (open.length > 0 && startsAnew(previous, next, raw[index + 2], open)) open.length = 0;
      if (inBlock && open.length > 0 && endsBlock(raw, index + 1, open)) open.length = 0;
      if (open.length > 0) continue;
      operators = 0;
      if (previous?.tokenType !== Newline) tokens.push(token);
      continue;
    }
    if (isOperator(token) || token.tokenType === Question) operators++;
    if (opensBlock(token, previous, open)) {
      blockBraces.add(token);
      inBlock = true;
    } else if (token.tokenType === RCurly && open.length === 0) inBlock = false;
    else if (OPENING.includes(token.tokenType)) open.push(token);
    else if (CLOSING.includes(token.tokenType)) open.pop();
    if (open.length > DEEPEST || operators > MOST_OPERATORS) excess ??= token;
    tokens.push(token);
  }
  return { tokens, excess, blockBraces };
}

const isOperator = (token: IToken): boolean =>
  tokenMatcher(token, BinaryOperator) || tokenMatcher(token, PrefixOperator);

/** A string names a test; that and a number run into a word are taken for the name of a block by mistake. */
const MISTAKEN_NAMES = [...STRINGS, BadQuantity];

/** A block's brace follows a name; a record's follows a sign. */
const opensBlock = (token: IToken, previous: IToken | undefined, open: readonly IToken[]): boolean =>
  open.length === 0 &&
  token.tokenType === LCurly &&
  previous !== undefined &&
  (tokenMatcher(previous, Word) || MISTAKEN_NAMES.includes(previous.tokenType)) &&
  previous.tokenType !== Import &&
  !isOperator(previous);

function startsAnew(
  last: IToken | undefined,
  next: IToken | undefined,
  afterNext: IToken | undefined,
  open: readonly IToken[],
): boolean {
  if (next === undefined) return true;
  if (next.tokenType === RCurly) return open.every((bracket) => bracket.tokenType !== LCurly);
  if (ANCHORS.some((anchor) => tokenMatcher(next, anchor)) && afterNext?.tokenType !== Colon) return true;
  if (startsSoftly(next, afterNext)) return true;
  const goesOn =
    last !== undefined &&
    (last.tokenType === Comma || tokenMatcher(last, Sets) || OPENING.includes(last.tokenType));
  return !goesOn && tokenMatcher(next, Name) && afterNext?.tokenType === Equals;
}

/**
 * Do the braces from here on close fewer than the open records and the block? Then it was a record that was left open,
 * where the first of them is as far out as a block's.
 */
function endsBlock(raw: readonly IToken[], from: number, open: readonly IToken[]): boolean {
  if (raw[from]?.tokenType !== RCurly || isIndented(raw, from)) return false;
  let missing = open.filter((bracket) => bracket.tokenType === LCurly).length + 1;
  let at = from;
  for (; raw[at]?.tokenType === RCurly || raw[at]?.tokenType === Newline; at++)
    if (raw[at]?.tokenType === RCurly) missing--;
  const next = raw[at];
  return missing > 0 && (next === undefined || startsDeclaration(next, raw[at + 1]));
}

/** Of the first token of a line. */
function isIndented(raw: readonly IToken[], index: number): boolean {
  const [before, token] = [raw[index - 1], raw[index]];
  if (before === undefined || token === undefined) return false;
  return token.startOffset > before.startOffset + before.image.length;
}
