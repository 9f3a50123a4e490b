/** A text as tokens; parser, formatter and editors ask for the same ones. */
import type { ILexingResult } from '../../../grammar/chevrotain.js';
import { type Layout, layout } from '../../../grammar/layout.js';
import { lexer } from '../../../grammar/tokens.js';
import type { SourceText } from '../source/text.js';

export interface Lexed {
  readonly lexed: ILexingResult;
  readonly laidOut: Layout;
}

/** Held weakly: the tokens of a large file weigh more than its text, and can be made again. */
const known = new WeakMap<SourceText, WeakRef<Lexed>>();

export function lexedOf(source: SourceText): Lexed {
  const before = known.get(source)?.deref();
  if (before !== undefined) return before;
  const lexed = lexer.tokenize(source.text);
  const made = { lexed, laidOut: layout(lexed.tokens) };
  known.set(source, new WeakRef(made));
  return made;
}
