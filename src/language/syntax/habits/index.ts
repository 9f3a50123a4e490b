/**
 * What was likely meant where the parser wanted something else: habits of other languages, a space before a unit, a
 * sign that is written differently here. The parser knows only what is allowed at a place; this looks at what is there.
 */
import type { IToken } from '../../../../grammar/chevrotain.js';
import * as t from '../../../../grammar/tokens.js';
import type { SourceText } from '../../source/text.js';
import { endOf } from '../cst.js';
import { groupBelow } from '../groups.js';
import type { Correction, Failure } from './habit.js';
import { HEADS } from './heads.js';
import { LINES } from './lines.js';

export type { Correction } from './habit.js';

export function likelyMeant(
  rule: string,
  index: number,
  tokens: readonly IToken[],
  source: SourceText,
): Correction | undefined {
  const token = tokens[index];
  if (token === undefined) return undefined;
  let start = index;
  while (start > 0 && tokens[start - 1]?.tokenType !== t.Newline) start--;
  let end = index;
  while (end < tokens.length && tokens[end]?.tokenType !== t.Newline) end++;
  const failure: Failure = {
    rule,
    token,
    previous: index > start ? tokens[index - 1] : undefined,
    next: tokens[index + 1],
    afterNext: tokens[index + 2],
    first: tokens[start] ?? token,
    compares: compares(tokens, start),
    span: (from, to = from) => ({ file: source.file, start: from.startOffset, end: endOf(to) }),
    line: tokens.slice(start, end),
    group: end === index ? groupBelow(tokens, start, index, source) : undefined,
  };
  for (const habit of [...HEADS, ...LINES]) {
    const meant = habit(failure);
    if (meant !== undefined) return meant;
  }
  return undefined;
}

/** `perplexity < 30`, `plan.peak_memory <= 8GiB` */
function compares(tokens: readonly IToken[], start: number): boolean {
  let at = start + 1;
  while (tokens[at]?.tokenType === t.Dot) at += 2;
  return /^([<>]=?|!=)$/.test(tokens[at]?.image ?? '');
}
