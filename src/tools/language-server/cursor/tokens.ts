/** A text as tokens, for places in files that do not parse. */
import { type IToken, tokenMatcher } from '../../../../grammar/chevrotain.js';
import * as t from '../../../../grammar/tokens.js';
import type { SourceText } from '../../../language/source/text.js';
import { lex } from '../../../language/syntax/lex.js';

export interface Tokens {
  /** Line ends only where they end something. */
  readonly tokens: readonly IToken[];
  readonly comments: readonly IToken[];
  readonly blockBraces: ReadonlySet<IToken>;
}

export function tokensOf(source: SourceText): Tokens {
  const { result, layout } = lex(source);
  return { ...layout, comments: result.groups['comments'] ?? [] };
}

export const endOf = (token: IToken): number => token.startOffset + token.image.length;

export const isNewline = (token: IToken | undefined): boolean => token?.tokenType === t.Newline;
export const isSets = (token: IToken | undefined): boolean =>
  token !== undefined && tokenMatcher(token, t.Sets);
export const isWord = (token: IToken | undefined): boolean =>
  token !== undefined && tokenMatcher(token, t.Word);
export const isString = (token: IToken | undefined): boolean =>
  token !== undefined && t.STRINGS.includes(token.tokenType);
export const isNumber = (token: IToken | undefined): boolean =>
  token !== undefined && [t.NumberLiteral, t.BadQuantity, t.Quantity].includes(token.tokenType);
export const isOperator = (token: IToken | undefined): boolean =>
  token !== undefined && (tokenMatcher(token, t.BinaryOperator) || tokenMatcher(token, t.PrefixOperator));
/** Does a value end here? */
export const isOperand = (token: IToken | undefined): boolean =>
  token !== undefined &&
  !isOperator(token) &&
  token.image !== 'require' &&
  (isWord(token) || isNumber(token) || isString(token) || /^[)\]}]$/.test(token.image));

export const isBlockKind = (token: IToken | undefined): boolean =>
  token !== undefined && tokenMatcher(token, t.BlockKind);

const HEADS = [t.BlockKind, t.Param, t.Secret, t.Import, t.Edition, t.Preset, t.Native];

/** Does a line that begins so begin a declaration? Then a block before it has lost its brace. */
export const startsDeclaration = (first: IToken, second: IToken | undefined): boolean =>
  (t.startsSoftly(first, second) && first.tokenType !== t.Expect) ||
  (HEADS.some((head) => tokenMatcher(first, head)) && !isSets(second) && !isNewline(second));

const CLOSED = new Set(['StringLiteral', 'ForeignString']);
/** Where what a string says ends: before its closing quote, if it has one. */
export const contentEnd = (token: IToken): number =>
  endOf(token) - (CLOSED.has(token.tokenType.name) && token.image.length > 1 ? 1 : 0);

export type { IToken };
