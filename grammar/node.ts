/**
 * Concrete syntax: what each rule took, as a list in the order of the text. The library's own nodes are dictionaries
 * of lists, and cost more to build, to read and to throw away than the parsing itself.
 */
import type { IToken } from './chevrotain.js';
import { Newline } from './tokens.js';

/** `key` is what the rule calls its part: a token's name in the grammar, the name of a rule, or a label. */
export type Part = SyntaxNode | Leaf;

export class Leaf {
  next: Part | undefined;

  constructor(
    readonly key: string,
    readonly token: IToken,
  ) {}

  /** Made up by the parser's recovery. */
  get isInserted(): boolean {
    return this.token.isInsertedInRecovery === true;
  }
}

export class SyntaxNode {
  key: string;
  next: Part | undefined;
  first: Part | undefined;
  private last: Part | undefined;
  /** Offset of the first token that was written, line ends left out. */
  start = 0;
  /** Offset after the last one; -1 if there is none. */
  end = -1;

  constructor(readonly rule: string) {
    this.key = rule;
  }

  token(key: string, token: IToken): void {
    this.append(new Leaf(key, token));
    if (token.isInsertedInRecovery !== true && token.tokenType !== Newline)
      this.reach(token.startOffset, token.startOffset + token.image.length);
  }

  node(key: string, node: SyntaxNode): void {
    node.key = key;
    this.append(node);
    if (node.end >= 0) this.reach(node.start, node.end);
  }

  private append(part: Part): void {
    if (this.last === undefined) this.first = part;
    else this.last.next = part;
    this.last = part;
  }

  private reach(start: number, end: number): void {
    if (this.end < 0 || start < this.start) this.start = start;
    if (end > this.end) this.end = end;
  }
}
