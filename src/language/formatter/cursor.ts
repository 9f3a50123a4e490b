import { EOF, type IToken, type TokenType } from '../../../grammar/chevrotain.js';
import { LCurly, LParen, LSquare, lexer, Newline, RCurly, RParen, RSquare } from '../../../grammar/tokens.js';
import { choice, type Doc, group, LINE_END, suffix } from './doc.js';

const OPENING: readonly TokenType[] = [LParen, LSquare, LCurly];
const CLOSING: readonly TokenType[] = [RParen, RSquare, RCurly];

const ALLOWANCE = /^\/\/\s*allow\s*\(/;

/** An empty line, where the group around it is broken. */
const BLANK = choice(LINE_END, '');

/**
 * Walks over the tokens of a file. Each token is taken once, and its comments with it, so that none can be lost:
 * comments on lines of their own are asked for before an item, the others wait until the next end of a line.
 */
export class Cursor {
  private readonly tokens: readonly Token[];
  private at = 0;
  private leadingTaken = false;
  private waiting: string[] = [];
  /** Index of the closing bracket by that of the opening one. */
  private readonly closes = new Map<number, number>();
  /** How many comments are before each token and after the one before it, those of all tokens before included. */
  private readonly comments: number[] = [];

  constructor(private readonly text: string) {
    this.tokens = tokensWithComments(text);
    const open: number[] = [];
    let comments = 0;
    for (const [index, { type, leading, trailing }] of this.tokens.entries()) {
      comments += leading.length;
      this.comments.push(comments);
      if (trailing !== undefined) comments++;
      if (OPENING.includes(type)) open.push(index);
      const opened = CLOSING.includes(type) ? open.pop() : undefined;
      if (opened !== undefined) this.closes.set(opened, index);
    }
  }

  get next(): Token {
    return this.token(this.at);
  }

  /** What is in the brackets that the next token opens. */
  brackets() {
    const close = this.closes.get(this.at) ?? this.at;
    const [opening, closing] = [this.next, this.token(close)];
    return {
      start: this.token(this.at + 1).start,
      /** Offset after the closing bracket. */
      after: closing.end,
      last: this.token(close - 1),
      hasComment: (this.comments[close] ?? 0) > (this.comments[this.at] ?? 0),
      isOnOneLine: (): boolean => !/[\r\n]/.test(this.text.slice(opening.start, closing.end)),
    };
  }

  /** The next token as written. Comments before it that were not asked for go after the item. */
  take(): string {
    const { leading, trailing, image } = this.next;
    if (!this.leadingTaken) this.waiting.push(...leading.map(({ text }) => text));
    if (trailing !== undefined) this.waiting.push(trailing);
    this.at++;
    this.leadingTaken = false;
    return image;
  }

  /** The tokens up to `offset` as written, without space between them. */
  takeUntil(offset: number): string {
    let text = '';
    while (this.next.start < offset) text += this.take();
    return text;
  }

  /** Takes the next tokens of a type, of which only the comments are kept. */
  skip(type: TokenType): void {
    while (this.next.type === type) this.take();
  }

  /** Empty lines before the next token: one before its comments, or anywhere. */
  get blankLinesBefore(): { readonly first: boolean; readonly any: boolean } {
    const blanks = [...this.next.leading, this.next].map(({ blankBefore }) => blankBefore);
    return { first: blanks[0] === true, any: blanks.includes(true) };
  }

  /** What goes between the start of a line and the item on it: comments, each on a line, and empty lines. */
  linesBefore({ first }: { readonly first: boolean }): Doc {
    const { leading, blankBefore } = this.next;
    this.leadingTaken = true;
    const lines = leading.map((comment, i) => [
      comment.blankBefore && !(first && i === 0) ? BLANK : '',
      comment.text,
      LINE_END,
    ]);
    return [lines, blankBefore && !(first && leading.length === 0) ? BLANK : ''];
  }

  /** Comments before what closes a list of items, each on a line that it starts itself. */
  linesBeforeEnd({ first }: { readonly first: boolean }): Doc {
    const { leading } = this.next;
    this.leadingTaken = true;
    return leading.map(({ text, blankBefore }, i) => [
      LINE_END,
      blankBefore && !(first && i === 0) ? BLANK : '',
      text,
    ]);
  }

  /** The comments that wait for the end of a line: one stays on it, each other has a line of its own. */
  commentsAfter(): Doc {
    const [first, ...others] = this.waiting.splice(0);
    if (first === undefined) return '';
    return [suffix(` ${first}`), others.map((text) => [LINE_END, text])];
  }

  /**
   * Takes `// allow(…)` out of what waits, where it is after an item that starts at `start` on the same line. It
   * refers to that line, so if the item breaks it must be before all of it.
   */
  allowanceBehind(start: number): string | undefined {
    const end = this.tokens[this.at - 1]?.end ?? start;
    const [comment] = this.waiting;
    if (comment === undefined || this.waiting.length > 1 || !ALLOWANCE.test(comment)) return undefined;
    return /[\r\n]/.test(this.text.slice(start, end)) ? undefined : this.waiting.pop();
  }

  private token(index: number): Token {
    const token = this.tokens[index] ?? this.tokens.at(-1);
    if (token === undefined) throw new Error('a text has at least the token of its end');
    return token;
  }
}

interface OwnLine {
  readonly text: string;
  /** An empty line is before it. */
  readonly blankBefore: boolean;
}

interface Token {
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
function tokensWithComments(text: string): readonly Token[] {
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

/** An item that ends a line, with the comments after it. `print` and `separator` take their tokens in this order. */
export function endingLine(cursor: Cursor, print: () => Doc, separator: () => Doc): Doc {
  const { start } = cursor.next;
  const printed = print();
  const after = separator();
  const allowance = cursor.allowanceBehind(start);
  if (allowance === undefined) return [printed, after, cursor.commentsAfter()];
  const whereItFits = choice('', suffix(` ${allowance}`));
  return [group([choice([allowance, LINE_END], ''), printed, whereItFits]), after];
}
