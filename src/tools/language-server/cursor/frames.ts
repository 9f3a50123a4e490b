/** What is open at an offset: the block and the brackets around it, and what is before it in each. */
import type { SourceText } from '../../../language/source/text.js';
import {
  endOf,
  type IToken,
  isNewline,
  isNumber,
  isSets,
  isString,
  isWord,
  startsDeclaration,
  type Tokens,
  tokensOf,
} from './tokens.js';

export type Frame =
  | { readonly kind: 'top'; statement: IToken[] }
  /** `head`: `train adapter using light` */
  | { readonly kind: 'block'; readonly head: readonly IToken[]; readonly open: IToken; statement: IToken[] }
  | {
      readonly kind: 'record' | 'list' | 'group' | 'imports';
      readonly open: IToken;
      /** Since the last comma. */
      statement: IToken[];
    }
  | {
      readonly kind: 'call';
      readonly callee: IToken;
      readonly open: IToken;
      statement: IToken[];
      index: number;
    };

export interface Cursor {
  readonly offset: number;
  readonly tokens: Tokens;
  /** From the file to the innermost bracket. */
  readonly frames: readonly Frame[];
  /** The word, number or string in which or after which the cursor is. */
  readonly partial: IToken | undefined;
  /** Tokens after the cursor and what it is in. */
  readonly next: IToken | undefined;
  readonly inComment: IToken | undefined;
}

export function cursorAt(source: SourceText, offset: number): Cursor {
  const tokens = tokensOf(source);
  const all = tokens.tokens;
  let index = 0;
  const walker = new Walker(tokens);
  for (; index < all.length; index++) {
    const token = all[index];
    if (token === undefined || !isBefore(token, offset)) break;
    walker.take(token, all[index + 1]);
  }
  const at = all[index];
  const partial =
    at !== undefined && at.startOffset < offset && offset <= endOf(at) && !isNewline(at) ? at : undefined;
  const next = all.slice(partial === undefined ? index : index + 1).find((token) => !isNewline(token));
  return {
    offset,
    tokens,
    frames: walker.frames,
    partial,
    next: partial === undefined && next !== undefined && isNewline(at) ? undefined : next,
    inComment: tokens.comments.find(
      ({ startOffset, image }) => startOffset < offset && offset <= startOffset + image.length,
    ),
  };
}

/** Words, numbers and strings are what one types at: after them the cursor is still in them. */
function isBefore(token: IToken, offset: number): boolean {
  const end = endOf(token);
  if (end < offset) return true;
  if (end > offset) return token.startOffset < offset && isNewline(token);
  if (isString(token)) return token.image.length > 1 && /["'“”]$/.test(token.image);
  return !isWord(token) && !isNumber(token);
}

const LITERALS = new Set<Frame['kind']>(['record', 'list', 'group', 'imports', 'call']);

class Walker {
  readonly frames: Frame[] = [{ kind: 'top', statement: [] }];

  constructor(private readonly tokens: Tokens) {}

  private get top(): Frame {
    return this.frames.at(-1) ?? { kind: 'top', statement: [] };
  }

  take(token: IToken, next: IToken | undefined): void {
    if (isNewline(token)) {
      while (LITERALS.has(this.top.kind)) this.frames.pop();
      this.top.statement = [];
      return;
    }
    if (this.top.kind === 'block' && this.top.statement.length === 0 && startsDeclaration(token, next)) {
      this.frames.length = 1;
      this.top.statement = [];
    }
    if (Object.hasOwn(PAIRS, token.image)) this.open(token);
    else if (CLOSING.has(token.image)) this.close(token);
    else if (token.image === ',') this.separate(token);
    else this.top.statement.push(token);
  }

  private open(token: IToken): void {
    const { statement } = this.top;
    const last = statement.at(-1);
    if (this.tokens.blockBraces.has(token)) {
      this.frames.length = 1;
      this.frames.push({ kind: 'block', head: [...statement], open: token, statement: [] });
    } else if (token.image === '(' && isWord(last) && last !== undefined && !isParamType(statement))
      this.frames.push({ kind: 'call', callee: last, open: token, statement: [], index: 0 });
    else {
      const isImport = last?.tokenType.name === 'Import';
      const kind =
        token.image === '[' ? 'list' : token.image === '(' ? 'group' : isImport ? 'imports' : 'record';
      this.frames.push({ kind, open: token, statement: [] });
    }
  }

  private close(token: IToken): void {
    const closes = (frame: Frame): boolean => 'open' in frame && PAIRS[frame.open.image] === token.image;
    const index = this.frames.findLastIndex(closes);
    if (index < 1) return;
    this.frames.length = index;
    if (this.top.kind === 'top' && token.image === '}' && this.top.statement[0]?.tokenType.name !== 'Import')
      this.top.statement = [];
    else this.top.statement.push(token);
  }

  private separate(token: IToken): void {
    const { top } = this;
    if (top.kind === 'top') top.statement.push(token);
    else top.statement = [];
    if (top.kind === 'call') top.index++;
  }
}

const PAIRS: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' };
const CLOSING = new Set(Object.values(PAIRS));

/** Keys that are in a block, a record or the arguments of a call, before and after the cursor. */
export function keysFrom({ tokens }: Tokens, open: IToken): readonly string[] {
  const keys: string[] = [];
  let depth = 0;
  for (let i = tokens.indexOf(open) + 1; i < tokens.length; i++) {
    const [token, next] = [tokens[i], tokens[i + 1]];
    if (token === undefined) break;
    if (/^[[{(]$/.test(token.image)) depth++;
    else if (/^[\]})]$/.test(token.image) && depth-- === 0) break;
    else if (depth === 0 && startsLine(tokens, i) && next !== undefined && startsDeclaration(token, next))
      break;
    else if (depth === 0 && isWord(token) && isSets(next)) keys.push(token.image);
  }
  return keys;
}

const startsLine = (tokens: readonly IToken[], index: number): boolean => isNewline(tokens[index - 1]);

/** `param rank: Int`, before its range. */
const isParamType = ([first, , , type, more]: readonly IToken[]): boolean =>
  (first?.image === 'param' || first?.image === 'matrix') && type !== undefined && more === undefined;
