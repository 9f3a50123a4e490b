/** The tokens of a text with their comments: those on lines of their own before a token, and one after it. */
import { EOF, type IToken, type TokenType } from '../../../grammar/chevrotain.js';
import { lexer, Newline } from '../../../grammar/tokens.js';

interface OwnLine {
  readonly text: string;
  /** An empty line is before it. */
  readonly blankBefore: boolean;
}

export interface Token {
  readonly type: TokenType;
  readonly image: string;
  readonly start: number;
  readonly end: number;
  /** Comments on the lines before it. */
  readonly leading: readonly OwnLine[];
  /** An empty line is before it, after its leading comments. */
  readonly blankBefore: boolean;
  /** Comment after it on its line. */
  readonly trailing?: string;
}

/** The last token is the end of the file, which may have leading comments. */
export function tokensWithComments(text: string): readonly Token[] {
  const { tokens, groups } = lexer.tokenize(text);
  const comments = groups['comments'] ?? [];
  const pieces = [...tokens.filter(({ tokenType }) => tokenType !== Newline), ...comments];
  pieces.sort((a, b) => a.startOffset - b.startOffset);
  const isComment = new Set(comments);
  const out: Token[] = [];
  let leading: OwnLine[] = [];
  let end = 0;
  for (const piece of pieces) {
    const lineEnds = countLineEnds(text, end, piece.startOffset);
    const last = out.at(-1);
    const blank = { blankBefore: lineEnds > 1 };
    end = piece.startOffset + piece.image.length;
    if (!isComment.has(piece)) {
      out.push({ ...read(piece), leading, ...blank });
      leading = [];
    } else if (lineEnds === 0 && last !== undefined && leading.length === 0)
      out[out.length - 1] = { ...last, trailing: piece.image.trimEnd() };
    else leading.push({ text: piece.image.trimEnd(), ...blank });
  }
  return [
    ...out,
    { type: EOF, image: '', start: text.length, end: text.length, leading, blankBefore: false },
  ];
}

const read = ({ tokenType, image, startOffset }: IToken) => ({
  type: tokenType,
  image,
  start: startOffset,
  end: startOffset + image.length,
});

const [LF, CR] = [10, 13];

/** `\n`, `\r\n` and `\r` each end a line. */
function countLineEnds(text: string, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) {
    const char = text.charCodeAt(i);
    if (char === LF ? text.charCodeAt(i - 1) !== CR || i === start : char === CR) count++;
  }
  return count;
}
