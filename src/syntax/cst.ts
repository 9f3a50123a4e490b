/** Reading of concrete syntax nodes; after recovery any part may be absent, so every reader says so. */
import type { IToken } from '../../grammar/chevrotain.js';
import { type Part, SyntaxNode } from '../../grammar/node.js';

export const isNode = (part: Part): part is SyntaxNode => part instanceof SyntaxNode;

export function nodes(parent: SyntaxNode, key: string): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (const [i, part] of parent.parts.entries())
    if (parent.keys[i] === key && isNode(part)) found.push(part);
  return found;
}

export function node(parent: SyntaxNode, key: string): SyntaxNode | undefined {
  const found = parent.parts[parent.keys.indexOf(key)];
  return found !== undefined && isNode(found) ? found : undefined;
}

/** Tokens as written, without what recovery made up. */
export function tokens(parent: SyntaxNode, key: string): readonly IToken[] {
  const found: IToken[] = [];
  for (const [i, part] of parent.parts.entries())
    if (parent.keys[i] === key && !isNode(part) && part.isInsertedInRecovery !== true) found.push(part);
  return found;
}

/** The token of this name that the rule takes at its `index`-th place for one. */
export function token(parent: SyntaxNode, key: string, index = 0): IToken | undefined {
  let at = parent.keys.indexOf(key);
  for (let i = 0; i < index && at >= 0; i++) at = parent.keys.indexOf(key, at + 1);
  const found = parent.parts[at];
  return found === undefined || isNode(found) || found.isInsertedInRecovery === true ? undefined : found;
}

export const startOf = (token: IToken): number => token.startOffset;
export const endOf = (token: IToken): number => token.startOffset + token.image.length;
