/**
 * A file is read declaration by declaration: a mistake in one costs nothing in the others, neither in errors nor in
 * time, and what the parser builds is gone before the next is read.
 */
import type { IToken } from '../../../grammar/chevrotain.js';
import type { Layout } from '../../../grammar/layout.js';
import { LCurly, Newline, RCurly, startsDeclaration } from '../../../grammar/tokens.js';

/** Tokens outside of blocks that are read in one piece at most. */
const LONGEST = 1000;

/** The tokens from the head of each declaration to that of the next. */
export function* declarationsOf({ tokens, blockBraces }: Layout): Generator<IToken[]> {
  let start = 0;
  let inBlock = false;
  /** Braces of records that are open. */
  let records = 0;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] as IToken;
    if (token.tokenType === LCurly) {
      if (blockBraces.has(token)) inBlock = true;
      else records++;
    } else if (token.tokenType === RCurly) {
      if (records > 0) records--;
      else inBlock = false;
    } else if (token.tokenType === Newline) {
      records = 0;
      const next = tokens[index + 1];
      if (next === undefined) continue;
      const isOutside = !inBlock && index - start >= LONGEST;
      if (!isOutside && !startsDeclaration(next, tokens[index + 2])) continue;
      yield tokens.slice(start, index + 1);
      start = index + 1;
      inBlock = false;
    }
  }
  yield tokens.slice(start);
}
