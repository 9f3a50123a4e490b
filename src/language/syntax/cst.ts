/** Reading of concrete syntax nodes; after recovery any part may be absent, so every reader says so. */
import type { IToken } from '../../../grammar/chevrotain.js';
import { type Part, SyntaxNode } from '../../../grammar/node.js';

export const isNode = (part: Part): part is SyntaxNode => part instanceof SyntaxNode;

export function nodes(parent: SyntaxNode, key: string): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let part = parent.first; part !== undefined; part = part.next)
    if (part.key === key && isNode(part)) found.push(part);
  return found;
}

export function node(parent: SyntaxNode, key: string): SyntaxNode | undefined {
  for (let part = parent.first; part !== undefined; part = part.next)
    if (part.key === key && isNode(part)) return part;
  return undefined;
}

/** Tokens as written, without what recovery made up. */
export function tokens(parent: SyntaxNode, key: string): readonly IToken[] {
  const found: IToken[] = [];
  for (let part = parent.first; part !== undefined; part = part.next)
    if (part.key === key && !isNode(part) && !part.isInserted) found.push(part.token);
  return found;
}

/** The token of this name that the rule takes at its `index`-th place for one. */
export function token(parent: SyntaxNode, key: string, index = 0): IToken | undefined {
  let left = index;
  for (let part = parent.first; part !== undefined; part = part.next)
    if (part.key === key && left-- === 0) return isNode(part) || part.isInserted ? undefined : part.token;
  return undefined;
}

export const startOf = (token: IToken): number => token.startOffset;
export const endOf = (token: IToken): number => token.startOffset + token.image.length;
