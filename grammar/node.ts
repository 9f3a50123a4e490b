/**
 * Concrete syntax: what each rule took, in the order of the text. The library's own nodes are dictionaries of lists,
 * and cost more to build, to read and to throw away than the parsing itself.
 */
import type { IToken } from './chevrotain.js';
import { Newline } from './tokens.js';

export type Part = SyntaxNode | IToken;

export class SyntaxNode {
  readonly parts: Part[] = [];
  /** What the rule calls each part: a token's name in the grammar, the name of a rule, or a label. */
  readonly keys: string[] = [];
  /** Offset of the first token that was written, line ends left out. */
  start = 0;
  /** Offset behind the last one; -1 where there is none. */
  end = -1;

  constructor(readonly rule: string) {}

  token(key: string, token: IToken): void {
    this.parts.push(token);
    this.keys.push(key);
    if (token.isInsertedInRecovery !== true && token.tokenType !== Newline)
      this.reach(token.startOffset, token.startOffset + token.image.length);
  }

  node(key: string, node: SyntaxNode): void {
    this.parts.push(node);
    this.keys.push(key);
    if (node.end >= 0) this.reach(node.start, node.end);
  }

  private reach(start: number, end: number): void {
    if (this.end < 0 || start < this.start) this.start = start;
    if (end > this.end) this.end = end;
  }
}
