/** Reading of concrete syntax nodes; after recovery any child may be absent, so every reader says so. */
import type { CstNode, IToken } from '../../grammar/chevrotain.js';

const isNode = (element: CstNode | IToken): element is CstNode => 'children' in element;

export const nodes = (parent: CstNode, name: string): readonly CstNode[] =>
  (parent.children[name] ?? []).filter(isNode);

export const node = (parent: CstNode, name: string): CstNode | undefined => {
  const found = parent.children[name]?.[0];
  return found !== undefined && isNode(found) ? found : undefined;
};

/** Tokens as written: what recovery made up has no image. */
export const tokens = (parent: CstNode, name: string): readonly IToken[] =>
  (parent.children[name] ?? []).filter((element): element is IToken => !isNode(element));

export const token = (parent: CstNode, name: string, index = 0): IToken | undefined => {
  const found = parent.children[name]?.[index];
  return found === undefined || isNode(found) || found.isInsertedInRecovery === true ? undefined : found;
};

export const startOf = (token: IToken): number => token.startOffset;
export const endOf = (token: IToken): number => token.startOffset + token.image.length;

export interface Extent {
  readonly start: number;
  readonly end: number;
}

/** The parser leaves `location` to us: its own tracking counts line ends as part of a node. */
type Located = { -readonly [K in keyof Pick<CstNode, 'location'>]: CstNode['location'] };

/**
 * Offsets from the first to the last real token below a node, `undefined` where there is none. It is asked for
 * at every level of a tree, so each node remembers it: without that, building a tree takes quadratic time.
 */
export function extent(parent: CstNode): Extent | undefined {
  const known = parent.location;
  if (known !== undefined)
    return known.endOffset === undefined ? undefined : { start: known.startOffset, end: known.endOffset };
  let start = Number.POSITIVE_INFINITY;
  let end = -1;
  for (const name in parent.children) {
    for (const child of parent.children[name] ?? []) {
      if (isNode(child)) {
        const inner = extent(child);
        if (inner === undefined) continue;
        if (inner.start < start) start = inner.start;
        if (inner.end > end) end = inner.end;
      } else if (child.isInsertedInRecovery !== true && child.tokenType.name !== 'Newline') {
        if (startOf(child) < start) start = startOf(child);
        if (endOf(child) > end) end = endOf(child);
      }
    }
  }
  (parent as Located).location = end < 0 ? { startOffset: 0 } : { startOffset: start, endOffset: end };
  return end < 0 ? undefined : { start, end };
}
