/** What a habit of another language is told by, and what it says. */
import { type IToken, tokenMatcher } from '../../../../grammar/chevrotain.js';
import * as t from '../../../../grammar/tokens.js';
import { replace } from '../../diagnostics/make.js';
import type { Fix } from '../../diagnostics/types.js';
import type { Span } from '../../source/span.js';
import { endOf } from '../cst.js';
import type { Group } from '../groups.js';

/** A better word for a failure of the parser. */
export interface Correction {
  /** In place of the token at which the parser stopped. */
  readonly at?: IToken;
  /** In place of what the parser wanted. */
  readonly expected?: string;
  readonly help: string;
  readonly fixes?: readonly Fix[];
}

export interface Failure {
  readonly rule: string;
  readonly token: IToken;
  readonly previous: IToken | undefined;
  readonly next: IToken | undefined;
  readonly afterNext: IToken | undefined;
  /** The first token of its line. */
  readonly first: IToken;
  /** The line has a comparison where a sign would follow its name. */
  readonly compares: boolean;
  readonly span: (from: IToken, to?: IToken) => Span;
  /** The tokens of its line. */
  readonly line: readonly IToken[];
  /** What is below a name and its sign, further to the right. */
  readonly group?: Group;
}

export type Habit = (failure: Failure) => Correction | undefined;

export const touch = (left: IToken | undefined, right: IToken | undefined): boolean =>
  left !== undefined && right !== undefined && endOf(left) === right.startOffset;

export const isNumeric = (token: IToken | undefined): boolean =>
  token !== undefined && [t.NumberLiteral, t.Quantity, t.BadQuantity].includes(token.tokenType);

export const isName = (token: IToken | undefined): token is IToken =>
  token !== undefined && tokenMatcher(token, t.Name);

export const write = (text: string, at: Span, applicability: Fix['applicability'] = 'safe'): Fix =>
  replace(`write \`${text.trim()}\``, at, text, applicability);
