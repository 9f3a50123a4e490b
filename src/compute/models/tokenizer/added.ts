import type { AddedToken } from './file.js';

/** A stretch of text, or the added token that is there. */
type TextSegment = { readonly text: string; readonly start: number } | { readonly id: number };

// Only what is next to a match is looked at: there may be millions of them.

/** What the Rust library's `regex` calls a word character (Unicode Technical Standard 18, annex C). */
const WORD_BEFORE = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;
const WORD_AFTER = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const SPACE = /\p{White_Space}/u;
const SPACE_AFTER = /^\p{White_Space}*/u;

/**
 * Cuts added tokens out of a text, the leftmost first and the longest of those (huggingface/tokenizers,
 * `added_vocabulary.rs`). `contentOf` gives the form in which a token is looked for.
 */
export function addedTokenSplitter(
  tokens: readonly AddedToken[],
  contentOf: (token: AddedToken) => string = (token) => token.content,
): (text: string) => readonly TextSegment[] {
  const byContent = new Map(tokens.map((token) => [contentOf(token), token]));
  byContent.delete('');
  if (byContent.size === 0) return (text) => (text === '' ? [] : [{ text, start: 0 }]);
  const contents = [...byContent.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(contents.map(literal).join('|'), 'gu');
  return (text) => {
    const pieces: TextSegment[] = [];
    let done = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byContent.get(match[0]);
      if (token === undefined) continue;
      let start = match.index;
      let end = start + match[0].length;
      if (
        token.singleWord &&
        (WORD_BEFORE.test(text.slice(Math.max(0, start - 2), start)) || WORD_AFTER.test(text.slice(end)))
      )
        continue;
      if (token.leftStrip) while (start > done && SPACE.test(text[start - 1] ?? '')) start--;
      if (token.rightStrip) end += SPACE_AFTER.exec(text.slice(end))?.[0].length ?? 0;
      if (done < start) pieces.push({ text: text.slice(done, start), start: done });
      pieces.push({ id: token.id });
      done = end;
    }
    if (done < text.length) pieces.push({ text: text.slice(done), start: done });
    return pieces;
  };
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
