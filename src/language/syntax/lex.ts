/** A text as tokens; parser, formatter and editors ask for the same ones. */
import type { ILexingResult } from '../../../grammar/chevrotain.js';
import { type Layout, layout } from '../../../grammar/layout.js';
import { lexer } from '../../../grammar/tokens.js';
import type { SourceText } from '../source/text.js';

interface LexResult {
  readonly result: ILexingResult;
  readonly layout: Layout;
}

/** Held weakly: the tokens of a large file weigh more than its text, and can be made again. */
const known = new WeakMap<SourceText, WeakRef<LexResult>>();

export function lex(source: SourceText): LexResult {
  const before = known.get(source)?.deref();
  if (before !== undefined) return before;
  const result = lexer.tokenize(source.text);
  const found = { result, layout: layout(result.tokens) };
  known.set(source, new WeakRef(found));
  return found;
}
