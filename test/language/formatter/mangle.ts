/** The same text with other white space, or with comments strewn into it: what a careless editor leaves behind. */
import type { IToken } from '../../../grammar/chevrotain.js';
import { lexer, Newline } from '../../../grammar/tokens.js';

export type Random = () => number;

/** Mulberry32: numbers in [0, 1) that a seed repeats. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Piece {
  readonly image: string;
  readonly isComment: boolean;
  /** Line ends before it. */
  readonly lineEnds: number;
  /** Line breaks are free before it: it stands in the brackets of an expression or an import. */
  readonly free: boolean;
  /** It opens a block over several lines, or closes one. */
  readonly edge: boolean;
}

/** Offsets of the braces of blocks on one line: to break such a block is a choice that stays. */
function oneLiners(text: string): (offset: number) => boolean {
  const blocks = [...text.matchAll(/^[^\S\r\n]*[a-z]+[^\S\r\n]+[^={}()\r\n]*\{[^\r\n]*\}/gm)];
  return (offset) => blocks.some(({ index, 0: line }) => offset >= index && offset < index + line.length);
}

function piecesOf(text: string): readonly Piece[] {
  const { tokens, groups } = lexer.tokenize(text);
  const comments = new Set<IToken>(groups['comments'] ?? []);
  const all = [...tokens.filter(({ tokenType }) => tokenType !== Newline), ...comments];
  all.sort((a, b) => a.startOffset - b.startOffset);
  const onOneLine = oneLiners(text);
  const open: boolean[] = [];
  let end = 0;
  let previous: IToken | undefined;
  let behind = '';
  return all.map((token) => {
    const { image, startOffset } = token;
    const isComment = comments.has(token);
    const lineEnds = text.slice(end, startOffset).match(/\r\n?|\n/g)?.length ?? 0;
    const free = open.at(-1) ?? false;
    const closes = !isComment && /^[)\]}]$/.test(image);
    const closed = closes ? open.pop() : undefined;
    if (!isComment && /^[([{]$/.test(image))
      open.push(image !== '{' || free || /^(=|:|import)$/.test(previous?.image ?? ''));
    const edge = lineEnds > 0 && (closed === false || (behind === '{' && !free));
    end = startOffset + image.length;
    if (!isComment) previous = token;
    behind = image;
    return { image, isComment, lineEnds, free: free && !onOneLine(startOffset), edge };
  });
}

const isBracket = (image: string): boolean => /^[()[\]{},?]$/.test(image);
const times = (random: Random, least: number, most: number): number =>
  least + Math.floor(random() * (most - least + 1));
const spaces = (random: Random, least: number): string =>
  Array.from({ length: times(random, least, 3) }, () =>
    random() < 0.8 ? ' ' : random() < 0.8 ? '\t' : '\u00a0',
  ).join('');

/** Other spaces, line ends and empty lines, where they mean nothing. */
export function respace(text: string, random: Random): string {
  const lineEnd = ['\n', '\r\n', '\r'][Math.floor(random() * 3)] ?? '\n';
  let out = '';
  let before: Piece | undefined;
  for (const piece of piecesOf(text)) {
    out += between(before, piece, random, lineEnd) + piece.image;
    before = piece;
  }
  return (
    out +
    spaces(random, 0) +
    lineEnd.repeat(before?.isComment === true || random() < 0.7 ? times(random, 1, 3) : 0)
  );
}

function between(before: Piece | undefined, piece: Piece, random: Random, lineEnd: string): string {
  if (before === undefined) return lineEnd.repeat(times(random, 0, 2)) + spaces(random, 0);
  const joint = isBracket(before.image) || isBracket(piece.image);
  const fixed = before.isComment || piece.isComment;
  let count = piece.lineEnds;
  if (count > 1) count = times(random, 2, 4);
  else if (piece.edge) count = times(random, 1, 3);
  else if (piece.free && !fixed && piece.image !== ':') count = random() < 0.3 ? 1 : 0;
  if (count === 0) return spaces(random, joint ? 0 : 1);
  return Array.from({ length: count }, () => spaces(random, 0) + lineEnd).join('') + spaces(random, 0);
}

/** Comments at random places between tokens, each named by its number. */
export function strewComments(
  text: string,
  random: Random,
): { readonly text: string; readonly comments: readonly string[] } {
  const comments: string[] = [];
  const comment = (): string => {
    comments.push(`${random() < 0.2 ? '///' : '//'} strewn ${comments.length}`);
    return comments.at(-1) ?? '';
  };
  let out = '';
  for (const { image, isComment, lineEnds, free } of piecesOf(text)) {
    if (lineEnds > 0) {
      if (random() < 0.15 && !out.trimEnd().split('\n').at(-1)?.includes('//')) out += ` ${comment()}`;
      out += '\n'.repeat(lineEnds);
      while (random() < 0.2) out += `${comment()}${'\n'.repeat(times(random, 1, 3))}`;
    } else if (out !== '') out += ' ';
    if (free && !isComment && image !== ':' && lineEnds === 0 && random() < 0.15)
      out += `${comment()}\n${spaces(random, 0)}`;
    out += image;
  }
  return { text: `${out}\n`, comments };
}
